internal import QMPClient

/// One target of a matrix while it runs: this executable as `qvm run --rm … -- COMMAND`, whose output is
/// passed on line by line.
final class MatrixRun {
  /// How much of the output is kept for a report, in bytes.
  private static let longestTail = 1 << 16
  /// How long to read output after the process has exited.
  private static let drainTime = Duration.seconds(1)

  let target: MatrixTarget
  private let loop: EventLoop
  private let process: ChildProcess
  private let link: Descriptor
  private let log: Descriptor?
  private let began = SuspendingClock.now
  private var result: MatrixResult
  private var readyAt: SuspendingClock.Instant?
  private var isRunning = false
  private var isLost = false
  /// Whether it was asked to end before its command had.
  private var isStopped = false
  /// Why its log is not complete; nil if it is.
  private(set) var logFailure: FileError?

  private var readers: [Task<Void, Never>] = []
  private var openStreams = 0
  private var end: ProcessEnd?
  private var drained: EventLoop.Token?

  /// What happens to a run. Each goes to ``take(_:)``.
  enum Input: Sendable {
    case milestone(RunMilestone)
    case bytes([UInt8], isError: Bool)
    /// Standard output or standard error takes no more.
    case outputFailed(OutputError)
    /// One of its three streams has ended.
    case closed
    case processEnded(ProcessEnd)
    /// There was time enough for the last output.
    case drained
  }

  /// Starts the run.
  ///
  /// - Parameters:
  ///   - target: What to run.
  ///   - tag: What its lines begin with.
  ///   - outputNumber: The descriptor of this process for its standard output: 1, or 2.
  ///   - input: Its standard input; nil for none.
  ///   - log: A file that gets all its output; nil for none.
  ///   - output: Writes the lines.
  ///   - loop: The loop that the calling task runs on.
  ///   - report: Called with what happens.
  /// - Throws: ``SpawnError``, ``FileError``, `SystemError`.
  init(
    _ target: MatrixTarget, tag: MatrixTag, outputNumber: Int32, input: [UInt8]?, log: String?,
    output: MatrixOutput, on loop: EventLoop, report: @escaping @Sendable (Input) -> Void
  ) throws {
    self.target = target
    self.loop = loop
    result = MatrixResult(target)
    let (ours, theirs) = try SocketCalls.pair()
    let (out, outEnd) = try SocketCalls.pair()
    let (errors, errorsEnd) = try SocketCalls.pair()
    link = ours
    self.log = try log.map { try Files.openForOutput($0, append: false) }
    let standardInput = try input.map(Self.source)
    // In a session of its own it gets no signals from the terminal: the matrix passes them on.
    process = try ChildProcess(
      .init(
        Host.executable, [MatrixLink.command] + target.words,
        descriptors: [standardInput, outEnd, errorsEnd, theirs], ownSession: true))
    readers = [
      Self.reader(
        of: out, tag: tag.text(for: outputNumber), to: outputNumber, isError: false, output,
        on: loop, report),
      Self.reader(
        of: errors, tag: tag.text(for: 2), to: 2, isError: true, output, on: loop, report),
      Self.linkReader(of: ours, on: loop, report),
    ]
    openStreams = readers.count
    process.whenEnded { report(.processEnded($0)) }
  }

  /// A descriptor from which bytes can be read, then the end.
  private static func source(of bytes: [UInt8]) throws -> Descriptor {
    let (reader, writer) = try SocketCalls.pair()
    let stop = try StopSign()
    _ = BlockingWork {
      defer { SocketCalls.endWriting(writer.number) }
      try bytes.withUnsafeBytes { try ByteStream(writer, stop: stop).write($0) }
    }
    return reader
  }

  /// Passes on a signal of the user's, or asks for the end with one.
  func pass(_ signal: Signal) {
    if result.exit == nil { isStopped = true }
    [UInt8(truncatingIfNeeded: signal.rawValue)].withUnsafeBytes {
      _ = SocketCalls.send(link.number, $0)
    }
  }

  /// Takes in what happened. Returns the result when the run has ended.
  func take(_ input: Input) -> MatrixResult? {
    switch input {
    case .milestone(let milestone): take(milestone)
    case .bytes(let bytes, let isError): keep(bytes, isError: isError)
    case .outputFailed: break
    case .closed: openStreams -= 1
    case .processEnded(let how): end = how
    // Output that no reader takes must not hold up the end.
    case .drained: for reader in readers { reader.cancel() }
    }
    guard let end, openStreams == 0 else { return nil }
    drained.map(loop.cancel)
    result.seconds = began.duration(to: .now).inSeconds
    result.verdict = verdict(end)
    return result
  }

  /// Gives up output that is still to be written a moment after the process has ended.
  func drain(_ report: @escaping @Sendable (Input) -> Void) {
    guard end != nil, drained == nil else { return }
    drained = loop.schedule(at: .now.advanced(by: Self.drainTime)) { report(.drained) }
  }

  // MARK: - Reading

  /// Passes on the lines of a stream.
  private static func reader(
    of source: Descriptor, tag: String, to number: Int32, isError: Bool, _ output: MatrixOutput,
    on loop: EventLoop, _ report: @escaping @Sendable (Input) -> Void
  ) -> Task<Void, Never> {
    Task(executorPreference: loop) {
      var tagger = LineTagger(tag: tag, isTerminal: Terminal.isTerminal(number))
      var isTaken = true
      var isOpen = true
      while isOpen {
        var lines: [UInt8] = []
        if let bytes = await next(from: source, on: loop) {
          report(.bytes(bytes, isError: isError))
          lines = tagger.read(bytes)
        } else {
          isOpen = false
          lines = tagger.finish()
        }
        guard isTaken else { continue }
        do { try await output.write(lines, to: number) } catch {
          isTaken = false
          if let error = error as? OutputError { report(.outputFailed(error)) }
        }
      }
      report(.closed)
    }
  }

  private static func linkReader(
    of source: Descriptor, on loop: EventLoop, _ report: @escaping @Sendable (Input) -> Void
  ) -> Task<Void, Never> {
    Task(executorPreference: loop) {
      var framed: [UInt8] = []
      while let bytes = await next(from: source, on: loop) {
        framed += bytes
        while let end = framed.firstIndex(of: 0x0A) {
          let line = String(decoding: framed[..<end], as: UTF8.self)
          framed.removeFirst(end + 1)
          if let milestone = RunMilestone(line) { report(.milestone(milestone)) }
        }
      }
      report(.closed)
    }
  }

  /// The next bytes of a socket; nil at its end, and if the task is cancelled and nothing is there.
  private static func next(from source: Descriptor, on loop: EventLoop) async -> [UInt8]? {
    while true {
      switch SocketCalls.receive(source.number) {
      case .bytes(let bytes): return bytes
      case .closed, .failed: return nil
      case .wouldBlock:
        let far = SuspendingClock.now.advanced(by: .seconds(1 << 30))
        guard (try? await loop.ready(source.number, for: .read, until: far)) != nil else {
          return nil
        }
      }
    }
  }

  private func keep(_ bytes: [UInt8], isError: Bool) {
    result.tail += bytes
    if result.tail.count > 2 * Self.longestTail {
      result.tail.removeFirst(result.tail.count - Self.longestTail)
    }
    if isError {
      let text = String(decoding: bytes, as: UTF8.self)
      let line = text.split(separator: "\n").last { $0.hasPrefix("qvm: ") }
      if let line { result.detail = ForeignText.line(String(line.dropFirst("qvm: ".count))) }
    }
    guard let log, logFailure == nil else { return }
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = Files.writeSome(rest, to: log.number)
      guard count >= 0 else {
        logFailure = FileError(
          verb: "write", path: "the log of \(target.label)", cause: .last("write"))
        return
      }
      rest = rest.dropFirst(count)
    }
  }

  // MARK: - The result

  private func take(_ milestone: RunMilestone) {
    switch milestone {
    case .running: isRunning = true
    case .ready:
      readyAt = .now
      result.bootSeconds = began.duration(to: .now).inSeconds
    case .commandEnded(let status):
      result.exit = status
      result.commandSeconds = readyAt.map { $0.duration(to: .now).inSeconds }
    case .lost: isLost = true
    }
  }

  private func verdict(_ end: ProcessEnd) -> MatrixResult.Verdict {
    if isLost { return .lost }
    if isStopped { return .interrupted }
    switch result.exit {
    case 0?: return end == .exited(0) ? .passed : .error
    case .some: return .failed
    case nil where readyAt != nil: return .error
    case nil: return isRunning ? .notReady : .noBoot
    }
  }
}
