package import QMPClient

/// Runs a program to its end and collects its output.
package enum Subprocess {
  package struct Output: Sendable {
    package let end: ProcessEnd
    package let standardOutput: [UInt8]
    package let standardError: [UInt8]
    /// The timeout, if it was killed for exceeding it; else nil.
    package let exceeded: Duration?
    /// The output limit in bytes, if it was killed for exceeding it; else nil.
    package let overflowed: Int?

    package var succeeded: Bool { end == .exited(0) && overflowed == nil }

    /// Why it failed: a limit, or the last line of standard error that isn't blank, or how it
    /// ended.
    package var problem: String {
      if let exceeded { return "it did not end within \(Int(exceeded.inSeconds)) s" }
      if let overflowed { return "it prints more than \(ByteCount.text(overflowed))" }
      let text = String(decoding: standardError, as: UTF8.self)
      let lines = text.split(whereSeparator: \.isNewline)
      return lines.last { !$0.allSatisfy(\.isWhitespace) }.map(String.init) ?? end.description
    }
  }

  /// The timeout of a program that has little to do.
  package static let shortTime = Duration.seconds(60)
  /// The timeout of a program that reads or writes a whole image, even on a slow disk.
  package static let longTime = Duration.seconds(3600)

  /// How long a program may take after SIGTERM before it gets SIGKILL.
  private static let grace = Duration.seconds(5)
  /// How long to read output after the program has exited. A child of its own may keep the
  /// descriptors open for ever.
  private static let drainTime = Duration.seconds(1)

  /// The default output limit in bytes. All output is kept in memory.
  package static let mostOutput = 1 << 24

  /// Runs a program.
  ///
  /// - Parameters:
  ///   - path: Absolute.
  ///   - arguments: Without the program's own name.
  ///   - environment: The whole environment, as `NAME=value`; nil for this process's own.
  ///   - input: Its standard input, at most a few kilobytes; nil for /dev/null.
  ///   - inheriting: Its descriptors 3, 4 and so on. The lock of an inherited ``FileLock`` is held
  ///     until the program exits, even if this process is killed.
  ///   - most: The most bytes that it may print on either output before it is killed.
  ///   - limit: The timeout; nil for a program with limits of its own. If it is longer than
  ///     ``shortTime``, the program ends with this process where ``ParentDeathSignal`` works.
  ///   - loop: The loop that the calling task runs on.
  /// - Returns: What it printed and how it ended. A nonzero exit status is not thrown, and neither
  ///   is a timeout.
  /// - Throws: ``SpawnError``; ``LimitError`` if it failed because of a limit of this process;
  ///   `CancellationError` if the task was cancelled or the user interrupted the program, after the
  ///   program has ended.
  package static func run(
    _ path: String, _ arguments: [String], environment: [String]? = nil, input: [UInt8]? = nil,
    inheriting: [Descriptor] = [], atMost most: Int = mostOutput,
    within limit: Duration? = shortTime, on loop: EventLoop
  ) async throws -> Output {
    var (path, arguments) = (path, arguments)
    // A long-running program must not outlive this process.
    if (limit ?? longTime) > shortTime {
      (path, arguments) = await ParentDeathSignal.command(path, arguments)
    }
    // Sockets instead of pipes: they can be read without blocking and without O_NONBLOCK.
    let (output, errors, process) = try start(path, arguments, environment, input, inheriting)
    let deadline = limit.map { SuspendingClock.now.advanced(by: $0) }
    return try await withTaskCancellationHandler {
      let timer = deadline.map { due in loop.schedule(at: due) { stop(process, on: loop) } }
      let outputReader = reader(of: output, atMost: most, on: loop) { stop(process, on: loop) }
      let errorReader = reader(of: errors, atMost: most, on: loop) { stop(process, on: loop) }
      let end = await uncancellableEnd(of: process)
      timer.map(loop.cancel)
      let isLate = deadline.map { $0 <= .now && end != .exited(0) } ?? false
      let drained = loop.schedule(at: .now.advanced(by: drainTime)) {
        outputReader.cancel()
        errorReader.cancel()
      }
      let (printed, errorOutput) = (await outputReader.value, await errorReader.value)
      let result = Output(
        end: end, standardOutput: printed, standardError: errorOutput,
        exceeded: isLate ? limit : nil,
        overflowed: max(printed.count, errorOutput.count) > most ? most : nil)
      loop.cancel(drained)
      if !isLate, result.overflowed == nil { try await waitForOwnSignal(after: end, on: loop) }
      try Task.checkCancellation()
      if !result.succeeded, let limit = ResourceLimit(end, problem: result.problem) {
        throw LimitError(
          program: String(Files.lastName(of: path)), why: result.problem, limit: limit)
      }
      return result
    } onCancel: {
      stop(process, on: loop)
    }
  }

  /// How much later than the program this process may get a signal that was sent to both.
  private static let signalSpread = Duration.milliseconds(300)

  /// If a signal ended the program, waits for the same signal to cancel the task.
  ///
  /// The terminal signals all foreground processes, a shell's `kill %1` a whole job, systemd a
  /// whole service. This process may get the signal a moment later.
  private static func waitForOwnSignal(after end: ProcessEnd, on loop: EventLoop) async throws {
    switch end {
    // Only keys send these.
    case .signalled(Signal.interrupt.rawValue), .signalled(Signal.quit.rawValue):
      throw CancellationError()
    case .signalled(Signal.terminate.rawValue), .signalled(Signal.hangUp.rawValue):
      try await loop.sleep(until: .now.advanced(by: signalSpread))
    default: break
    }
  }

  private static func stop(_ process: ChildProcess, on loop: EventLoop) {
    process.signal(.terminate)
    _ = loop.schedule(at: .now.advanced(by: grace)) { process.signal(.kill) }
  }

  private static func start(
    _ path: String, _ arguments: [String], _ environment: [String]?, _ input: [UInt8]?,
    _ inherited: [Descriptor]
  ) throws -> (output: Descriptor, errors: Descriptor, process: ChildProcess) {
    let (output, outputEnd) = try SocketCalls.pair()
    let (errors, errorsEnd) = try SocketCalls.pair()
    let standardInput = try input.map { try filled(with: $0) }
    let process = try ChildProcess(
      .init(
        path, arguments, environment: environment,
        descriptors: [standardInput, outputEnd, errorsEnd] + inherited))
    return (output, errors, process)
  }

  /// A descriptor from which these bytes can be read, then the end. They must fit into a socket's
  /// buffer.
  private static func filled(with bytes: [UInt8]) throws(SystemError) -> Descriptor {
    let (reader, writer) = try SocketCalls.pair()
    bytes.withUnsafeBytes { _ = SocketCalls.send(writer.number, $0) }
    return reader
  }

  private static func uncancellableEnd(of process: ChildProcess) async -> ProcessEnd {
    await withCheckedContinuation { continuation in
      process.whenEnded { continuation.resume(returning: $0) }
    }
  }

  private static func reader(
    of source: Descriptor, atMost most: Int, on loop: EventLoop,
    overflow: @escaping @Sendable () -> Void
  ) -> Task<[UInt8], Never> {
    Task(executorPreference: loop) {
      let bytes = await everything(from: source, atMost: most, on: loop)
      if bytes.count > most { overflow() }
      return bytes
    }
  }

  /// How many bytes to read after the task was cancelled: what a socket's buffer holds.
  private static let lastBytes = 1 << 20

  /// Reads to the end or until more than `most` bytes. If the task is cancelled, reads what has
  /// arrived.
  private static func everything(
    from source: Descriptor, atMost most: Int, on loop: EventLoop
  ) async -> [UInt8] {
    var collected: [UInt8] = []
    var room = lastBytes
    while room > 0, collected.count <= most {
      switch SocketCalls.receive(source.number) {
      case .bytes(let bytes):
        collected.append(contentsOf: bytes)
        if Task.isCancelled { room -= bytes.count }
      case .closed, .failed: return collected
      case .wouldBlock:
        // Checked only here: if this process was held up, the output so far must still be read.
        if Task.isCancelled { return collected }
        let far = SuspendingClock.now.advanced(by: .seconds(86_400))
        _ = try? await loop.ready(source.number, for: .read, until: far)
      }
    }
    return collected
  }
}
