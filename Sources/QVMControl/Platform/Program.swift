package import QMPClient

/// Runs a program to its end and collects what it prints.
package enum Program {
  package struct Output: Sendable {
    package let end: ProcessEnd
    package let standardOutput: [UInt8]
    package let standardError: [UInt8]

    package var succeeded: Bool { end == .exited(0) }

    /// The last line of standard error that says anything; that is where programs say why.
    package var complaint: String {
      let text = String(decoding: standardError, as: UTF8.self)
      let lines = text.split(whereSeparator: \.isNewline)
      return lines.last { !$0.allSatisfy(\.isWhitespace) }.map(String.init) ?? end.description
    }
  }

  /// How long a program may take to obey SIGTERM before it gets SIGKILL.
  private static let grace = Duration.seconds(5)

  /// Runs a program with /dev/null as its input.
  ///
  /// - Parameters:
  ///   - path: Absolute.
  ///   - arguments: Without the program's own name.
  ///   - environment: All of it, as `NAME=value`; nil for this process's own.
  ///   - loop: The loop that the calling task runs on.
  /// - Throws: ``SpawnError``; `CancellationError` when the task is cancelled, after the program
  ///   has ended.
  package static func run(
    _ path: String, _ arguments: [String], environment: [String]? = nil, on loop: EventLoop
  ) async throws -> Output {
    // Sockets rather than pipes: they can be read without waiting and without O_NONBLOCK.
    let (output, errors, process) = try start(path, arguments, environment)
    return try await withTaskCancellationHandler {
      async let standardOutput = everything(from: output, on: loop)
      async let standardError = everything(from: errors, on: loop)
      let end = await uncancellableEnd(of: process)
      let result = Output(
        end: end, standardOutput: await standardOutput, standardError: await standardError)
      try Task.checkCancellation()
      return result
    } onCancel: {
      process.signal(.terminate)
      _ = loop.schedule(at: .now.advanced(by: grace)) { process.signal(.kill) }
    }
  }

  private static func start(
    _ path: String, _ arguments: [String], _ environment: [String]?
  ) throws -> (output: Descriptor, errors: Descriptor, process: ChildProcess) {
    let (output, outputEnd) = try SocketCalls.pair()
    let (errors, errorsEnd) = try SocketCalls.pair()
    let process = try ChildProcess(
      .init(
        path, arguments, environment: environment, descriptors: [nil, outputEnd, errorsEnd]))
    return (output, errors, process)
  }

  private static func uncancellableEnd(of process: ChildProcess) async -> ProcessEnd {
    await withCheckedContinuation { continuation in
      process.whenEnded { continuation.resume(returning: $0) }
    }
  }

  private static func everything(from source: Descriptor, on loop: EventLoop) async -> [UInt8] {
    var collected: [UInt8] = []
    while true {
      switch SocketCalls.receive(source.number) {
      case .bytes(let bytes): collected.append(contentsOf: bytes)
      case .closed, .failed: return collected
      case .wouldBlock:
        // Only cancellation ends this wait early; then nobody wants the rest.
        let far = SuspendingClock.now.advanced(by: .seconds(86_400))
        guard (try? await loop.ready(source.number, for: .read, until: far)) != nil else {
          return collected
        }
      }
    }
  }
}
