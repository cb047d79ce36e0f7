internal import QMPClient

/// Telling the guest by its own command to power off.
extension Supervisor {
  /// How long an ssh may take: one that hangs is given up when the next one is due.
  private static let commandLimit = ShutdownLadder.commandInterval

  /// How often ssh may fail where it is all that is left: the guest's server may not be up yet.
  private static let commandsTried = 2

  /// What ssh's own failures end with; all else is the status of the guest's command.
  private static let sshFailure: Int32 = 255

  /// Runs the guest's command; whether it obeys shows in QEMU's events.
  func powerOffBySSH() {
    guard let ssh, let command = guest?.powerOffCommand else { return }
    guestCommand?.cancel()
    guestCommand = Self.run(ssh, command, inputs, on: loop)
  }

  private static func run(
    _ ssh: GuestSSH, _ command: String, _ inputs: Mailbox<Input>, on loop: EventLoop
  ) -> Task<Void, Never> {
    let arguments = ssh.arguments(
      [command], options: ["-o", "BatchMode=yes", "-o", "ConnectTimeout=5"],
      insisting: commandLimit)
    return Task(executorPreference: loop) {
      let output = try? await Subprocess.run(ssh.program, arguments, within: commandLimit, on: loop)
      if let output { inputs.send(.guestCommandEnded(output)) }
    }
  }

  /// Tells the clients, once, whether the guest was told, and why not.
  func guestCommandEnded(_ output: Subprocess.Output) async {
    // One that has shut down meanwhile was told, or needed nobody to tell it.
    guard evidence.cause == nil, let step = steps.lastIndex(where: { $0.rung == Self.commandName })
    else { return }
    guard let failure = Self.failure(of: output) else {
      steps[step].failure = nil
      if !hasToldOfCommand.success {
        hasToldOfCommand.success = true
        await server.broadcast(.rung(Self.commandName, presses: ladder.presses))
      }
      return
    }
    guard !hasToldOfCommand.success else { return }
    steps[step].failure = failure
    failedCommands += 1
    if !hasToldOfCommand.failure {
      hasToldOfCommand.failure = true
      await server.broadcast(.notice("could not tell the guest by ssh to power off: \(failure)"))
    }
    // Nothing else would reach the guest, however long it were given.
    if !ladder.hasMonitor, failedCommands >= Self.commandsTried {
      await carryOut(ladder.request(.terminate, timeout: .zero, at: time.now))
    }
  }

  private static var commandName: String { ShutdownRung.guestCommand.name }

  /// Why the guest was not told; nil where it was.
  private static func failure(of output: Subprocess.Output) -> String? {
    switch output.end {
    case .exited(0): return nil
    // A guest that goes down at once takes the connection with it.
    case .exited(sshFailure)
    where output.complaint.hasPrefix("Connection to ")
      && output.complaint.hasSuffix(" closed by remote host."):
      return nil
    default: return String(output.complaint.prefix(200))
    }
  }
}
