extension Curl {
  /// The headers of an answer, by their names in lower case.
  struct Headers: Sendable {
    private var values: [String: String] = [:]
    /// The status of the answer; nil where there is none.
    private(set) var status: Int?
    /// Whether they end as headers do: those of an answer that was cut off may lack any of them.
    private(set) var isComplete = false

    subscript(name: String) -> String? { values[name] }

    /// Takes the headers off a text; after redirects, and behind a proxy, the last of several
    /// blocks counts.
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

    /// Those that curl wrote to a file; none where it had no answer.
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

    /// The error that a refusal is, with when to ask again where it says so in seconds. (RFC 9110,
    /// 10.2.3; GitHub says it with 403 too.)
    func refusal(url: String, status: Int) -> DownloadError {
      guard [403, 408, 429].contains(status) || status >= 500,
        let seconds = self["retry-after"].flatMap({ Int($0) }), seconds >= 0
      else { return .status(status, url: url) }
      return .unavailable(status, url: url, retryAfter: seconds)
    }

    /// The error that a refusal is where it says that there were too many requests; GitHub says so
    /// with 403 as well as with 429. (docs.github.com, "Rate limits for the REST API".)
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
