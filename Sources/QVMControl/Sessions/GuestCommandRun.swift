internal import QMPClient

/// One command in a guest by ssh, from its start to its end there.
final class GuestCommandRun {
  /// How long ssh may take to end after its command.
  private static let grace = Duration.seconds(5)

  private let command: GuestCommand
  private let ssh: GuestSSH
  private let loop: EventLoop
  private let process: ChildProcess
  private var ending: Task<Void, Never>?
  /// What the user ended it by.
  private var signal: Signal?

  /// Starts ssh, with this process's own input and outputs.
  ///
  /// A signal that the terminal or `timeout` sends to all of the job passes ssh by: the command's last
  /// output is still to come.
  ///
  /// - Parameters:
  ///   - words: The command's.
  ///   - ssh: How the guest is reached.
  ///   - options: Further options of ssh.
  ///   - loginTimeout: How long connections that are closed before login are replaced.
  ///   - loop: The loop that the calling task runs on.
  ///   - ended: Called when ssh has ended.
  /// - Throws: ``SpawnError``.
  init(
    _ words: [String], by ssh: GuestSSH, options: [String] = [], loginTimeout: Duration,
    on loop: EventLoop, ended: @escaping @Sendable (ProcessEnd) -> Void
  ) async throws {
    command = GuestCommand(words)
    self.ssh = ssh
    self.loop = loop
    let arguments = ssh.arguments(
      [command.line], options: options, insisting: loginTimeout, ignoresSignals: true)
    let (program, words) = await ParentDeathSignal.command(ssh.program, arguments)
    process = try ChildProcess(
      .init(program, words, descriptors: (0...2).map { Host.copy(of: $0) }))
    process.whenEnded(ended)
  }

  /// Has the guest end the command, once.
  ///
  /// - Parameters:
  ///   - signal: What the user sent.
  ///   - told: Called when that is done, with the reason where it could not be; ssh is ended then.
  func end(for signal: Signal, told: @escaping @Sendable (String?) -> Void) {
    guard ending == nil else { return }
    self.signal = signal
    let (process, command, ssh) = (self.process, self.command, self.ssh)
    let (loop, grace) = (self.loop, Self.grace)
    ending = Task(executorPreference: loop) {
      let ending = await command.end(by: ssh, on: loop)
      // ssh follows a command that was ended.
      let timeout = ending == .ended ? grace : .zero
      _ = loop.schedule(at: .now.advanced(by: timeout)) { process.signal(.kill) }
      if case .notTold(let why) = ending { told(why) } else { told(nil) }
    }
  }

  /// Ends the connection, whatever becomes of the command.
  func giveUp() {
    ending?.cancel()
    process.signal(.kill)
  }

  /// Returns when no process of this is left but ssh itself.
  func settle() async {
    ending?.cancel()
    await ending?.value
  }

  /// The command's exit status, as a shell says it: 255 where ssh failed, 128 and the user's signal
  /// where that has ended it.
  func status(of end: ProcessEnd) -> ExitStatus {
    switch (end, signal) {
    // By SIGTERM, by SIGKILL, and with the shell that would have told.
    case (.exited(143), let signal?), (.exited(137), let signal?), (.exited(255), let signal?):
      signal.exitStatus
    case (.exited(let status), _): ExitStatus(rawValue: status)
    case (.signalled, let signal?): signal.exitStatus
    case (.signalled(let number), nil): Signal(rawValue: number).exitStatus
    }
  }

  /// What can tell what became of ssh's connection, where it has ended with its own failure; nil
  /// where it hasn't.
  func loss(_ end: ProcessEnd) -> ConnectionLoss? {
    end == .exited(255) && signal == nil ? ConnectionLoss(command: command, ssh: ssh) : nil
  }
}
