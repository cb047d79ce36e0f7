internal import QMPClient

/// Which version of a file a server speaks of.
extension Curl.Head {
  /// What the server is to compare before it sends the rest of a file; nil where it told nothing
  /// that names one version of it. (RFC 9110, 13.1.5: a weak entity tag won't do.)
  var rangeCondition: String? {
    if let etag, etag.hasPrefix("\"") { return etag }
    return lastModified
  }

  /// Whether this and what was said before are certainly of the same version of a file.
  func vouches(for other: Curl.Head) -> Bool {
    if let etag, etag.hasPrefix("\"") { return etag == other.etag }
    return lastModified != nil && lastModified == other.lastModified && !contradicts(other)
  }

  /// Whether it names no version at all.
  var isVague: Bool { etag == nil && lastModified == nil }

  /// Whether this and what was said before are of different versions of a file.
  func contradicts(_ other: Curl.Head) -> Bool {
    if let etag, let known = other.etag { return etag != known }
    if let lastModified, let known = other.lastModified { return lastModified != known }
    return false
  }

  /// - Parameters:
  ///   - url: The address that redirects to the file.
  ///   - size: What is expected, in bytes.
  ///   - certain: So many bytes of the partial are of this version.
  /// - Returns: What to note beside a partial.
  func json(url: String, size: Int?, certain: Int) -> JSONValue {
    var object: JSONObject = [
      "schema": 1, "url": .string(url), "certain": .integer(Int64(certain)),
    ]
    object["size"] = size.map { .integer(Int64($0)) }
    object["length"] = length.map { .integer(Int64($0)) }
    object["etag"] = etag.map(JSONValue.string)
    object["lastModified"] = lastModified.map(JSONValue.string)
    return .object(object)
  }
}
