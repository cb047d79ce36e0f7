package import QMPClient

/// Runs a script in a guest that reads an archive from its standard input, or writes one to its
/// standard output.
///
/// The script itself travels by standard input too: some servers take no long command lines. It
/// reports to standard error by lines that begin with a random word.
package struct GuestTransfer: Sendable {
  package let name: String
  package let ssh: GuestSSH
  /// How long to retry connections that are closed before login.
  package let loginTimeout: Duration
  package let loop: EventLoop
  /// Called with the bytes that were copied so far, on another thread.
  package var progress: (@Sendable (Int) -> Void)?
  /// Whether ssh may ask for a password.
  package var isInteractive = true
  /// The user's options for ssh.
  package var userOptions: [String] = []
  /// The connection that ssh uses.
  package var route = GuestSSH.Route.own

  package init(_ name: String, by ssh: GuestSSH, loginTimeout: Duration, on loop: EventLoop) {
    self.name = name
    self.ssh = ssh
    self.loginTimeout = loginTimeout
    self.loop = loop
  }

  enum Direction: Sendable { case toGuest, fromGuest }

  /// How a script ended.
  struct Outcome<Value: Sendable>: Sendable {
    let result: Result<Value, any Error>
    let end: ProcessEnd
    /// The lines of the script, without the random word.
    let reports: [String]
    /// All other lines on standard error.
    let messages: [String]
  }

  /// How long ssh may take to exit after it was asked to.
  private static let grace = Duration.seconds(2)
  private static let mostMessages = 1 << 20

  /// Runs a script. If the task is cancelled, ssh ends, and so does the script, since its input and
  /// output do.
  ///
  /// - Parameters:
  ///   - script: A script for a POSIX shell.
  ///   - token: The random word before its reports.
  ///   - direction: Which of its streams is passed to the body.
  ///   - body: Writes or reads the archive, on a thread of its own.
  /// - Returns: How it ended.
  /// - Throws: ``SpawnError``, `SystemError`; `CancellationError` before ssh was started.
  func run<Value: Sendable>(
    _ script: String, token: String, _ direction: Direction,
    _ body: @escaping @Sendable (Descriptor, StopSign) throws -> Value
  ) async throws -> Outcome<Value> {
    let stop = try StopSign()
    let arguments = ssh.arguments(
      [LoginShell.lineReadingScript], options: isInteractive ? [] : ["-o", "BatchMode=yes"],
      userOptions: userOptions, retryingFor: loginTimeout, route: route)
    let command = await ParentDeathSignal.command(ssh.program, arguments)
    try Task.checkCancellation()
    let started = try Self.start(command.program, command.arguments)
    let (process, loop) = (started.process, self.loop)
    let errors = Self.messages(from: started.errors, of: process, on: loop)
    let work = Self.work(started.input, started.output, script, direction, stop, body)
    return await withTaskCancellationHandler {
      let result = await work.result().mapError { error in
        (error as? FileError).map { CopyError.host($0) } ?? error
      }
      if case .failure(let error) = result, !Self.isEndOfOther(error) {
        Self.stop(process, on: loop)
      }
      let end = await Self.end(of: process)
      let text = (try? await errors.result().get()) ?? ""
      let lines = text.split(separator: "\n").map(String.init)
      let mark = "\(token) "
      return Outcome(
        result: result, end: end,
        reports: lines.filter { $0.hasPrefix(mark) }.map { String($0.dropFirst(mark.count)) },
        messages: lines.filter { !$0.hasPrefix(mark) })
    } onCancel: {
      stop.raise()
      Self.stop(process, on: loop)
    }
  }

  /// Spawns ssh. Its ends of the streams are closed here when this returns.
  private static func start(
    _ program: String, _ arguments: [String]
  ) throws -> (input: Descriptor, output: Descriptor, errors: Descriptor, process: ChildProcess) {
    let (input, inputEnd) = try SocketCalls.pair()
    let (output, outputEnd) = try SocketCalls.pair()
    let (errors, errorsEnd) = try SocketCalls.pair()
    let process = try ChildProcess(
      .init(program, arguments, descriptors: [inputEnd, outputEnd, errorsEnd]))
    return (input, output, errors, process)
  }

  private static func work<Value: Sendable>(
    _ input: Descriptor, _ output: Descriptor, _ script: String, _ direction: Direction,
    _ stop: StopSign, _ body: @escaping @Sendable (Descriptor, StopSign) throws -> Value
  ) -> BlockingWork<Value> {
    BlockingWork {
      defer { SocketCalls.endWriting(input.number) }
      let line = Array("\(LoginShell.escaped(script))\n".utf8)
      try line.withUnsafeBytes { try ByteStream(input, stop: stop).write($0) }
      if direction == .toGuest { return try body(input, stop) }
      SocketCalls.endWriting(input.number)
      return try body(output, stop)
    }
  }

  /// Whether an error only means that the other side has stopped writing or reading.
  static func isEndOfOther(_ error: any Error) -> Bool {
    if error as? TarError == .truncated { return true }
    return (error as? SystemError).map { $0.isClosed } ?? false
  }

  private static func stop(_ process: ChildProcess, on loop: EventLoop) {
    process.signal(.terminate)
    _ = loop.schedule(at: .now.advanced(by: grace)) { process.signal(.kill) }
  }

  private static func end(of process: ChildProcess) async -> ProcessEnd {
    await withCheckedContinuation { continuation in
      process.whenEnded { continuation.resume(returning: $0) }
    }
  }

  /// Reads standard error to its end, which comes soon after the process has ended.
  private static func messages(
    from errors: Descriptor, of process: ChildProcess, on loop: EventLoop
  ) -> BlockingWork<String> {
    let stop = try? StopSign()
    process.whenEnded { _ in
      // A process that ssh has left behind may hold it open.
      _ = loop.schedule(at: .now.advanced(by: grace)) { stop?.raise() }
    }
    return BlockingWork {
      guard let stop else { return "" }
      let stream = ByteStream(errors, stop: stop)
      var collected: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: 1 << 14)
      while let count = try? buffer.withUnsafeMutableBytes({ try stream.read(into: $0) }), count > 0
      {
        if collected.count < mostMessages { collected += buffer[..<count] }
      }
      return String(decoding: collected, as: UTF8.self)
    }
  }
}
