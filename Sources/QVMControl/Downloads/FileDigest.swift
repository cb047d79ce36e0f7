internal import QMPClient

/// SHA-256 digests of files, by whichever program there is.
enum FileDigest {
  /// The quickest first: openssl uses the CPU's instructions for it, which makes it three times as
  /// fast; the other two mostly don't. Without a file's name they read their standard input.
  static let programs = [
    ("openssl", ["dgst", "-sha256", "-r"]), ("sha256sum", ["-b"]), ("shasum", ["-a", "256", "-b"]),
  ]

  /// The digest in lower-case hexadecimal digits; nil where no program can tell it.
  ///
  /// - Throws: `CancellationError`.
  static func sha256(of path: String, on loop: EventLoop) async throws -> String? {
    try await sha256(ofAll: [path], on: loop)?.first
  }

  /// The same of several files by one program, in their order; nil where one can't be told.
  ///
  /// - Throws: `CancellationError`.
  static func sha256(ofAll paths: [String], on loop: EventLoop) async throws -> [String]? {
    if paths.isEmpty { return [] }
    for (name, arguments) in programs {
      guard let program = Host.find(name) else { continue }
      do {
        let output = try await Program.run(
          program, arguments + paths, environment: ToolEnvironment.entries,
          within: Program.longTime, on: loop)
        guard output.succeeded else { continue }
        let digests = output.standardOutput.split(separator: UInt8(ascii: "\n")).compactMap {
          parse(Array($0))
        }
        if digests.count == paths.count { return digests }
      } catch is SpawnError {
        continue
      }
    }
    return nil
  }

  /// All three print the digest first. A backslash before it says that the name is escaped.
  static func parse(_ output: [UInt8]) -> String? {
    let text = String(decoding: output, as: UTF8.self)
    let digits = text.drop { $0 == "\\" }.prefix { $0.isHexDigit }.lowercased()
    return digits.utf8.count == 64 ? digits : nil
  }
}
