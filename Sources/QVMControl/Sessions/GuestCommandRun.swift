internal import QMPClient

/// One command in a guest over ssh, from its start to its end there.
final class GuestCommandRun {
  /// How long ssh may take to exit after its command.
  private static let grace = Duration.seconds(5)

  private let command: GuestCommand
  private let ssh: GuestSSH
  private let loop: EventLoop
  private let process: ChildProcess
  /// The terminal whose settings ssh changes meanwhile; nil if the command has none in the guest.
  private let terminal: Terminal?
  private var ending: Task<Void, Never>?
  /// The signal by which the user ended the command.
  private var signal: Signal?

  /// Spawns ssh, with this process's own input and outputs.
  ///
  /// ssh ignores signals that the terminal or `timeout` sends to the whole job, because the command's
  /// last output is still to come. If the command has a terminal, Ctrl-C is a key for the guest, and ssh
  /// ends by signals as usual.
  ///
  /// - Parameters:
  ///   - command: What is to run. Its file, if it needs one, is in the guest.
  ///   - ssh: How the guest is reached.
  ///   - options: More options for ssh.
  ///   - userOptions: The user's options for ssh.
  ///   - route: The connection to use. Of a shared one, the user's own options are none.
  ///   - loginTimeout: How long to retry connections that are closed before login.
  ///   - loop: The loop that the calling task runs on.
  ///   - ended: Called when ssh has exited.
  /// - Throws: ``SpawnError``.
  init(
    _ command: GuestCommand, by ssh: GuestSSH, options: [String] = [], userOptions: [String] = [],
    route: GuestSSH.Route = .own, loginTimeout: Duration,
    on loop: EventLoop, ended: @escaping @Sendable (ProcessEnd) -> Void
  ) async throws {
    self.command = command
    let hasTerminal = command.task.hasTerminal
    terminal = hasTerminal ? Terminal(0) : nil
    self.ssh = ssh
    self.loop = loop
    let arguments = ssh.arguments(
      [command.line], options: options + (hasTerminal ? ["-t"] : []), userOptions: userOptions,
      retryingFor: loginTimeout,
      ignoresSignals: !hasTerminal, route: route)
    let (program, words) = await ParentDeathSignal.command(ssh.program, arguments)
    process = try ChildProcess(
      .init(
        program, words,
        descriptors: [command.task.readsInput ? Host.copy(of: 0) : nil]
          + (1...2).map { Host.copy(of: $0) },
        // On a shared connection ssh handles the signals that it was to ignore.
        blockedSignals: route == .shared ? SSHCommandSession.signals : []))
    process.whenEnded(ended)
  }

  /// Makes the guest end the command; the first call counts.
  ///
  /// - Parameters:
  ///   - signal: The user's signal.
  ///   - told: Called when that is done, with the reason if it failed; ssh is killed then.
  func end(for signal: Signal, told: @escaping @Sendable (String?) -> Void) {
    guard ending == nil else { return }
    self.signal = signal
    let (process, command, ssh) = (self.process, self.command, self.ssh)
    let (loop, grace) = (self.loop, Self.grace)
    if command.task.hasTerminal {
      // The command ends with its terminal, and ssh restores the settings of the user's.
      process.signal(.terminate)
      _ = loop.schedule(at: .now.advanced(by: grace)) { process.signal(.kill) }
      return told(nil)
    }
    ending = Task(executorPreference: loop) {
      let ending = await command.end(by: ssh, on: loop)
      // ssh exits by itself once its command has ended.
      let timeout = ending == .ended ? grace : .zero
      _ = loop.schedule(at: .now.advanced(by: timeout)) { process.signal(.kill) }
      if case .notTold(let why) = ending { told(why) } else { told(nil) }
    }
  }

  /// Kills ssh, whatever becomes of the command.
  func giveUp() {
    ending?.cancel()
    process.signal(.kill)
  }

  /// Returns when no process of this command is left on the host but ssh itself.
  func settle() async {
    ending?.cancel()
    await ending?.value
    // A killed ssh has left them as they were.
    if process.end != nil { terminal?.restore() }
  }

  /// The command's exit status, as a shell reports it: 255 if ssh failed, 128 plus the signal's number if
  /// the user's signal ended the command.
  func status(of end: ProcessEnd) -> ExitStatus {
    switch (end, signal) {
    // Ended by SIGTERM; by SIGKILL; together with the shell that would have reported the status.
    case (.exited(143), let signal?), (.exited(137), let signal?), (.exited(255), let signal?):
      signal.exitStatus
    case (.exited(let status), _): ExitStatus(rawValue: status)
    case (.signalled, let signal?): signal.exitStatus
    case (.signalled(let number), nil): Signal(rawValue: number).exitStatus
    }
  }

  /// If ssh exited with 255, the means to find out why; otherwise nil.
  func loss(_ end: ProcessEnd) -> ConnectionLoss? {
    end == .exited(255) && signal == nil ? ConnectionLoss(command: command, ssh: ssh) : nil
  }
}
