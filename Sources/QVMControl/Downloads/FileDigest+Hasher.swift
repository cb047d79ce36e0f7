internal import QMPClient

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
