internal import QMPClient

/// Which version of a file a response describes.
extension Curl.Head {
  /// The value of `If-Range` for the rest of the file; nil if nothing identifies its version. (RFC
  /// 9110, 13.1.5: a weak entity tag is not enough.)
  var rangeCondition: String? {
    if let etag, etag.hasPrefix("\"") { return etag }
    return lastModified
  }

  /// Whether both responses certainly describe the same version of a file.
  func vouches(for other: Curl.Head) -> Bool {
    if let etag, etag.hasPrefix("\"") { return etag == other.etag }
    return lastModified != nil && lastModified == other.lastModified && !contradicts(other)
  }

  /// Whether it identifies no version at all.
  var isVague: Bool { etag == nil && lastModified == nil }

  /// Whether both responses describe different versions of a file.
  func contradicts(_ other: Curl.Head) -> Bool {
    if let etag, let known = other.etag { return etag != known }
    if let lastModified, let known = other.lastModified { return lastModified != known }
    return false
  }

  /// - Parameters:
  ///   - url: The URL that redirects to the file.
  ///   - size: The expected size, in bytes.
  ///   - certain: How many bytes of the partial file are of this version.
  /// - Returns: The note beside a partial file.
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
