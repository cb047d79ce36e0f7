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
        let output = try await Subprocess.run(
          program, arguments + paths, environment: ToolEnvironment.entries,
          within: Subprocess.longTime, on: loop)
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

extension FileDigest {
  /// A program that computes the digest of what it reads on its standard input.
  struct Hasher: Sendable {
    private let process: ChildProcess
    private let input: Descriptor
    private let output: Descriptor

    /// The quickest that there is; nil where there is none.
    static func start() -> Hasher? {
      for (name, arguments) in programs {
        guard let program = Host.find(name), let (input, inputEnd) = try? SocketCalls.pair(),
          let (output, outputEnd) = try? SocketCalls.pair(),
          let process = try? ChildProcess(
            .init(
              program, arguments, environment: ToolEnvironment.entries,
              descriptors: [inputEnd, outputEnd, nil]))
        else { continue }
        return Hasher(process: process, input: input, output: output)
      }
      return nil
    }

    /// Hands bytes over; false where the program takes no more.
    ///
    /// - Throws: `CancellationError`.
    func take(_ bytes: ArraySlice<UInt8>, on loop: EventLoop) async throws -> Bool {
      var rest = bytes
      while !rest.isEmpty {
        switch rest.withUnsafeBytes({ SocketCalls.send(input.number, $0) }) {
        case .bytes(let count): rest = rest.dropFirst(count)
        case .wouldBlock:
          let deadline = SuspendingClock.now.advanced(by: .seconds(60))
          guard try await loop.ready(input.number, for: .write, until: deadline) else {
            return false
          }
        case .closed, .failed: return false
        }
      }
      return true
    }

    /// Says that there is no more, and waits for the digest; nil where the program failed.
    consuming func finish(on loop: EventLoop) async -> String? {
      SocketCalls.endWriting(input.number)
      var text: [UInt8] = []
      let deadline = SuspendingClock.now.advanced(by: .seconds(60))
      reading: while true {
        switch SocketCalls.receive(output.number) {
        case .bytes(let bytes):
          text += bytes
          // It is a line.
          if text.count > 1 << 12 { break reading }
        case .closed, .failed: break reading
        case .wouldBlock:
          guard (try? await loop.ready(output.number, for: .read, until: deadline)) == true else {
            abandon()
            return nil
          }
        }
      }
      guard (try? await process.ended()) == .exited(0) else { return nil }
      return FileDigest.parse(text)
    }

    /// Ends it; nobody wants the digest.
    func abandon() { process.signal(.kill) }
  }
}
