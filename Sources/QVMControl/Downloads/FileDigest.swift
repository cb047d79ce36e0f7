internal import QMPClient

/// SHA-256 digests of files, computed by an installed program.
enum FileDigest {
  /// The fastest first. openssl uses the CPU's SHA instructions and is three times as fast; the
  /// other two mostly don't. Without a file name they read standard input.
  static let programs = [
    ("openssl", ["dgst", "-sha256", "-r"]), ("sha256sum", ["-b"]), ("shasum", ["-a", "256", "-b"]),
  ]

  /// The digest in lower-case hexadecimal digits; nil if no program can compute it.
  ///
  /// - Throws: `CancellationError`.
  static func sha256(of path: String, on loop: EventLoop) async throws -> String? {
    try await sha256(ofAll: [path], on: loop)?.first
  }

  /// The digests of several files, in their order, computed by one program; nil if one fails.
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

  /// Reads the output: all three programs print the digest first. A backslash before it means that
  /// the name is escaped.
  static func parse(_ output: [UInt8]) -> String? {
    let text = String(decoding: output, as: UTF8.self)
    let digits = text.drop { $0 == "\\" }.prefix { $0.isHexDigit }.lowercased()
    return digits.utf8.count == 64 ? digits : nil
  }
}

extension FileDigest {
  /// A running program that computes the digest of its standard input.
  struct Hasher: Sendable {
    private let process: ChildProcess
    private let input: Descriptor
    private let output: Descriptor

    /// Spawns the fastest installed program; nil if there is none.
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

    /// Writes bytes to the program; false if it accepts no more.
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

    /// Ends the input and waits for the digest; nil if the program failed.
    consuming func finish(on loop: EventLoop) async -> String? {
      SocketCalls.endWriting(input.number)
      var text: [UInt8] = []
      let deadline = SuspendingClock.now.advanced(by: .seconds(60))
      reading: while true {
        switch SocketCalls.receive(output.number) {
        case .bytes(let bytes):
          text += bytes
          // The output is one line.
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

    /// Kills the program.
    func abandon() { process.signal(.kill) }
  }
}
