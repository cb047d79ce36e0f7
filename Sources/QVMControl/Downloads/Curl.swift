internal import QMPClient

/// Runs curl, which does all network transfers.
///
/// Its configuration file, its globbing and all protocols but the source's are disabled.
struct Curl: Sendable {
  let program: String
  let protocols: String
  let limits: TransferLimits
  let loop: EventLoop

  /// - Throws: `curlMissing`.
  init(_ source: ReleaseSource, _ limits: TransferLimits, on loop: EventLoop) throws(DownloadError)
  {
    guard let program = Host.find("curl") else { throw .curlMissing }
    self.program = program
    protocols = source.protocols
    self.limits = limits
    self.loop = loop
  }

  /// What a server reports about a file without sending it.
  struct Head: Sendable, Hashable {
    /// The URL after all redirects.
    let url: String
    /// In bytes.
    let length: Int?
    let etag: String?
    let lastModified: String?
  }

  /// Requests the headers of a URL.
  func head(_ url: String) async throws -> Head {
    let answer = try await lookUp(
      url, ["-L", "-I", "-o", "/dev/null"], seconds: limits.lookUpSeconds)
    return Head(answer.headers, url: answer.url)
  }

  /// Requests the body of a URL as text.
  ///
  /// A token is sent as a bearer token. No redirect is followed then, so that no other server gets
  /// it. curl reads it from its standard input, because other users can read a command line.
  func text(_ url: String, token: String?) async throws -> String {
    // Older curls ignore this if the server sends no length.
    let size = ["--max-filesize", String(Self.longestText)]
    guard let token else {
      return try await lookUp(url, ["-L"] + size, seconds: limits.listingSeconds).body
    }
    let configuration = "header = \"Authorization: Bearer \(token)\"\n"
    return try await lookUp(
      url, ["-K", "-"] + size, seconds: limits.listingSeconds, input: Array(configuration.utf8)
    ).body
  }

  /// The largest response that is kept in memory, in bytes. The longest list of releases has about
  /// five million.
  private static let longestText = 1 << 24

  /// Runs curl for a response in memory: the headers of the last response, the body and the final
  /// URL.
  private func lookUp(
    _ url: String, _ options: [String], seconds: Int, input: [UInt8]? = nil
  ) async throws -> (headers: Headers, body: String, url: String) {
    let arguments =
      common + options
      + ["-D", "-", "--max-time", String(seconds), "-w", Self.epilogue, "--url", url]
    // curl's `--max-time` is the timeout.
    let output = try await Subprocess.run(
      program, arguments, environment: ToolEnvironment.entries, input: input,
      atMost: Self.longestText, within: nil, on: loop)
    if output.overflowed != nil { throw DownloadError.tooBig(url: url, limit: Self.longestText) }
    let (text, status, final) = Self.parse(output.standardOutput)
    let (headers, body) = Headers.split(text)
    if let failure = Self.failure(of: output, status: status, headers, url: url) {
      throw headers.rateLimit(url: url, status: status) ?? failure
    }
    return (headers, String(body), final)
  }

  /// A transfer that is slower than this, in bytes a second, is stalled.
  static let slowest = 1024

  /// How a transfer to a file ended.
  struct Transfer: Sendable {
    /// The headers of the response.
    let headers: Headers
    /// Whether the server can't send the rest of the file, only the whole.
    let isRangeRefused: Bool
    /// What went wrong.
    let failure: DownloadError?
  }

  /// Writes the body of a URL to a file, or the part that is still missing.
  ///
  /// - Parameters:
  ///   - url: The URL. Redirects are followed.
  ///   - file: An absolute path.
  ///   - headers: The path of a file for the headers of the response. curl writes them before the
  ///     first byte of `file`. So even after a kill it is known which version the bytes are of.
  ///   - ifRange: An entity tag or a date. The server sends only the rest if the file is still that
  ///     version. Nil for the whole file.
  ///   - limit: The largest accepted size, in bytes.
  ///   - lock: A lock that curl holds too, so that a partial file has one writer even if this
  ///     process is killed.
  /// - Returns: How it ended. A network failure is returned, not thrown.
  /// - Throws: ``SpawnError``; `CancellationError` after curl has ended.
  func transfer(
    _ url: String, to file: String, headers: String, resumingIf ifRange: String?, limit: Int,
    holding lock: FileLock
  ) async throws -> Transfer {
    var arguments =
      common + [
        "-L", "--speed-limit", String(Self.slowest), "--speed-time", String(limits.stallSeconds),
        "--max-filesize", String(limit), "-o", file, "-D", headers, "-w", Self.epilogue,
      ]
    if let ifRange { arguments += ["-C", "-", "-H", "If-Range: \(ifRange)"] }
    // curl ends a stalled transfer. Any other may take as long as it needs.
    let output = try await Subprocess.run(
      program, arguments + ["--url", url], environment: ToolEnvironment.entries,
      inheriting: [lock.descriptor], within: nil, on: loop)
    let status = Self.parse(output.standardOutput).status
    let answer = Headers.read(headers)
    return Transfer(
      headers: answer,
      isRangeRefused: ifRange != nil && (output.end == .exited(33) || status == 416),
      failure: Self.failure(of: output, status: status, answer, url: url, file: file, limit: limit))
  }

  // MARK: - Arguments and answers

  private var common: [String] {
    [
      // It must be the first argument, else curl reads ~/.curlrc.
      "-q", "-g", "-f", "-sS", "--proto", protocols, "--proto-redir", protocols, "--tlsv1.2",
      "--max-redirs", "10", "--connect-timeout", String(limits.connectSeconds),
    ]
  }

  private static let epilogue = #"\n%{http_code} %{url_effective}"#

  private static func parse(_ bytes: [UInt8]) -> (body: String, status: Int, url: String) {
    let end = bytes.lastIndex(of: UInt8(ascii: "\n")) ?? bytes.startIndex
    let last = String(decoding: bytes[end...].dropFirst(), as: UTF8.self)
    let words = last.split(separator: " ", maxSplits: 1)
    return (
      String(decoding: bytes[..<end], as: UTF8.self), words.first.flatMap { Int($0) } ?? 0,
      words.count > 1 ? String(words[1]) : ""
    )
  }

  /// The error for an end of curl. Its exit statuses are listed in `man curl`.
  private static func failure(
    of output: Subprocess.Output, status: Int, _ headers: Headers, url: String, file: String? = nil,
    limit: Int = longestText
  ) -> DownloadError? {
    if output.succeeded { return nil }
    let why = problem(output)
    guard case .exited(let code) = output.end else {
      let end = output.end.description
      return .failed(url: url, status: why == end ? "curl" : end, why: why)
    }
    switch code {
    case 1, 47: return .badRedirect(url: url, why: why)
    case 5, 6, 7: return .unreachable(url: url, why: why)
    case 18, 52, 55, 56, 92:
      let received = file.flatMap { Files.information($0)?.size } ?? 0
      return .interrupted(url: url, why: why, received: received, total: nil)
    case 22: return headers.refusal(url: url, status: status)
    case 23: return .unwritable(path: file ?? "", why: why)
    case 28: return .tooSlow(url: url, why: why)
    case 35, 51, 53, 58, 59, 60, 66, 77, 80, 82, 83, 90, 91: return .insecure(url: url, why: why)
    case 63: return .tooBig(url: url, limit: limit)
    default: return .failed(url: url, status: "curl's status \(code)", why: why)
    }
  }

  /// curl's error message without its prefix, such as `curl: (7) `.
  private static func problem(_ output: Subprocess.Output) -> String {
    let problem = output.problem
    guard problem.hasPrefix("curl: ("), let end = problem.firstIndex(of: ")") else {
      return problem
    }
    return Headers.trimmed(problem[end...].dropFirst())
  }
}
