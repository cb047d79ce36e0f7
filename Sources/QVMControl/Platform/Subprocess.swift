package import QMPClient

/// Runs a program to its end and collects what it prints.
package enum Subprocess {
  package struct Output: Sendable {
    package let end: ProcessEnd
    package let standardOutput: [UInt8]
    package let standardError: [UInt8]
    /// The time that it was given, where it was ended for taking longer.
    package let exceeded: Duration?
    /// The bytes that it may print, where it was ended for printing more.
    package let overflowed: Int?

    package var succeeded: Bool { end == .exited(0) && overflowed == nil }

    /// Why it failed: the last line of standard error that says anything; that is where programs say
    /// why.
    package var complaint: String {
      if let exceeded { return "it did not end within \(Int(exceeded.inSeconds)) s" }
      if let overflowed { return "it prints more than \(ByteCount.text(overflowed))" }
      let text = String(decoding: standardError, as: UTF8.self)
      let lines = text.split(whereSeparator: \.isNewline)
      return lines.last { !$0.allSatisfy(\.isWhitespace) }.map(String.init) ?? end.description
    }
  }

  /// For a program that has little to do.
  package static let shortTime = Duration.seconds(60)
  /// For a program that reads or writes all of an image, on a slow disk too.
  package static let longTime = Duration.seconds(3600)

  /// How long a program may take to obey SIGTERM before it gets SIGKILL.
  private static let grace = Duration.seconds(5)
  /// How long output may come after the end of the program: from a child of its own, which may keep
  /// the descriptors open for as long as it likes.
  private static let drainTime = Duration.seconds(1)

  /// How much a program may print, in bytes: all of it is kept in memory.
  package static let mostOutput = 1 << 24

  /// Runs a program.
  ///
  /// - Parameters:
  ///   - path: Absolute.
  ///   - arguments: Without the program's own name.
  ///   - environment: All of it, as `NAME=value`; nil for this process's own.
  ///   - input: What it reads on its standard input, at most a few kilobytes; nil for /dev/null.
  ///   - inheriting: What it gets as descriptors 3, 4 and so on. A ``FileLock``'s is held for as
  ///     long as the program lives, even when this process is killed.
  ///   - most: The most bytes that it may print on either of its outputs before it is ended.
  ///   - limit: How long it may take before it is ended; nil for one that has limits of its own. One
  ///     that may take longer than ``shortTime`` ends with this process where ``ParentDeathSignal`` can do that.
  ///   - loop: The loop that the calling task runs on.
  /// - Returns: What it printed and how it ended; an exit status other than 0 is no error, nor is one
  ///   that took too long.
  /// - Throws: ``SpawnError``; ``LimitError`` where it failed for a limit that this process is under;
  ///   `CancellationError` when the task is cancelled or the user interrupted
  ///   the program, after the program has ended.
  package static func run(
    _ path: String, _ arguments: [String], environment: [String]? = nil, input: [UInt8]? = nil,
    inheriting: [Descriptor] = [], atMost most: Int = mostOutput,
    within limit: Duration? = shortTime, on loop: EventLoop
  ) async throws -> Output {
    var (path, arguments) = (path, arguments)
    // What may take long must not go on without anybody to hear of it.
    if (limit ?? longTime) > shortTime {
      (path, arguments) = await ParentDeathSignal.command(path, arguments)
    }
    // Sockets rather than pipes: they can be read without waiting and without O_NONBLOCK.
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
      let (printed, complained) = (await outputReader.value, await errorReader.value)
      let result = Output(
        end: end, standardOutput: printed, standardError: complained,
        exceeded: isLate ? limit : nil,
        overflowed: max(printed.count, complained.count) > most ? most : nil)
      loop.cancel(drained)
      if !isLate, result.overflowed == nil { try await waitForOwnSignal(after: end, on: loop) }
      try Task.checkCancellation()
      if !result.succeeded, let limit = ResourceLimit(end, complaint: result.complaint) {
        throw LimitError(
          program: String(Files.lastName(of: path)), why: result.complaint, limit: limit)
      }
      return result
    } onCancel: {
      stop(process, on: loop)
    }
  }

  /// How long a signal to all of a job may take from one of its processes to this one.
  private static let signalSpread = Duration.milliseconds(300)

  /// Waits, where a signal ended a program, for the same one to cancel the task.
  ///
  /// The terminal tells all of its foreground at once, a shell's `kill %1` all of a job, systemd all
  /// of a service; this process may hear of it a moment later.
  private static func waitForOwnSignal(after end: ProcessEnd, on loop: EventLoop) async throws {
    switch end {
    // Nothing but keys sends these.
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

  /// A descriptor to read bytes from that fit into a socket's buffer, and then the end.
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

  /// The most bytes to take once nobody waits for the end any more: what a socket holds.
  private static let lastBytes = 1 << 20

  /// All that comes until the end, or until it is more than `most`, or that is there when the task is
  /// cancelled.
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
        // Not before: where this process was held up, what came meanwhile is still to be taken.
        if Task.isCancelled { return collected }
        let far = SuspendingClock.now.advanced(by: .seconds(86_400))
        _ = try? await loop.ready(source.number, for: .read, until: far)
      }
    }
    return collected
  }
}
