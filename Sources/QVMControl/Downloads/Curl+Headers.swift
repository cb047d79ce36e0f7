internal import QMPClient

extension Curl {
  /// The headers of a response, by their names in lower case.
  struct Headers: Sendable {
    private var values: [String: String] = [:]
    /// The status of the response; nil if there is none.
    private(set) var status: Int?
    /// Whether they end with an empty line. If the response was cut off, some may be missing.
    private(set) var isComplete = false

    subscript(name: String) -> String? { values[name] }

    /// Splits a text into headers and body. After redirects, and behind a proxy, the last of
    /// several blocks of headers counts.
    static func split(_ text: String) -> (headers: Headers, body: Substring) {
      var headers = Headers()
      var rest = text[...]
      while rest.hasPrefix("HTTP/") {
        headers = Headers()
        let words = rest.prefix { !$0.isNewline }.split(separator: " ")
        headers.status = words.count > 1 ? Int(words[1]) : nil
        while let end = rest.firstIndex(where: \.isNewline) {
          let line = rest[..<end]
          rest = rest[rest.index(after: end)...]
          if line.isEmpty {
            headers.isComplete = true
            break
          }
          headers.note(line)
        }
      }
      return (headers, rest)
    }

    /// Reads the headers that curl wrote to a file; none if it got no response.
    static func read(_ path: String) -> Headers {
      let bytes = (try? Files.read(path)) ?? []
      return split(String(decoding: bytes, as: UTF8.self)).headers
    }

    private mutating func note(_ line: Substring) {
      let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2 else { return }
      values[parts[0].lowercased()] = Self.trimmed(parts[1])
    }

    static func trimmed(_ text: Substring) -> String {
      var text = text
      while text.first?.isWhitespace == true { text.removeFirst() }
      while text.last?.isWhitespace == true { text.removeLast() }
      return String(text)
    }

    /// The error for a refusal, with the time to retry if the server gives it in seconds. (RFC
    /// 9110, 10.2.3; GitHub gives it with 403 too.)
    func refusal(url: String, status: Int) -> DownloadError {
      guard [403, 408, 429].contains(status) || status >= 500,
        let seconds = self["retry-after"].flatMap({ Int($0) }), seconds >= 0
      else { return .status(status, url: url) }
      return .unavailable(status, url: url, retryAfter: seconds)
    }

    /// The error for a refusal because of too many requests; nil for another refusal. GitHub uses
    /// both 403 and 429. (docs.github.com, "Rate limits for the REST API".)
    func rateLimit(url: String, status: Int) -> DownloadError? {
      guard status == 403 || status == 429, self["x-ratelimit-remaining"] == "0" else {
        return nil
      }
      let end = self["x-ratelimit-reset"].flatMap { Int($0) }
      return .rateLimited(url: url, until: end.map { Timestamp(seconds: $0) })
    }
  }
}

extension Curl.Head {
  init(_ headers: Curl.Headers, url: String) {
    self.init(
      url: url, length: headers["content-length"].flatMap { Int($0) }, etag: headers["etag"],
      lastModified: headers["last-modified"])
  }
}

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
