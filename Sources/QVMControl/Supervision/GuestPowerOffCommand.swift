internal import QMPClient

/// Telling the guest by its own command, run by ssh, to power off.
struct GuestPowerOffCommand: Sendable {
  private enum Report: Sendable {
    case none, failure, success
  }

  /// How long an ssh may take: one that hangs is given up when the next one is due.
  private static let timeout = ShutdownLadder.commandInterval
  /// How long the server may stay silent: less, so that ssh itself says why it failed.
  private static let silence = timeout - .seconds(2)
  /// How often ssh may fail if nothing else is left: the guest's server may not be up yet.
  private static let most = 2
  /// What ssh's own failures end with; all else is the status of the guest's command.
  private static let sshFailure: Int32 = 255

  /// The ssh that runs.
  private var task: Task<Void, Never>?
  /// What the clients were told of it.
  private var reported = Report.none
  /// How often it failed.
  private var failures = 0

  /// Runs the command in place of one that still runs; what comes of it is an input. Whether the
  /// guest obeys shows in QEMU's events.
  mutating func run(
    _ command: String, by ssh: GuestSSH, _ inputs: Mailbox<Supervisor.Input>, on loop: EventLoop
  ) {
    task?.cancel()
    let arguments = ssh.arguments(
      [command], options: ["-o", "BatchMode=yes", "-o", "ConnectTimeout=5"],
      retryingFor: Self.timeout, silence: Self.silence)
    task = Task(executorPreference: loop) {
      let output = try? await Subprocess.run(ssh.program, arguments, within: Self.timeout, on: loop)
      if let output { inputs.send(.guestCommandEnded(output)) }
    }
  }

  func cancel() { task?.cancel() }

  /// Whether the clients were told that the guest was told.
  var hasReportedSuccess: Bool { reported == .success }

  /// Whether ssh has failed often enough to give it up if nothing else is left.
  var isHopeless: Bool { failures >= Self.most }

  /// Takes in that the guest was told; whether to report that.
  mutating func succeeded() -> Bool {
    defer { reported = .success }
    return reported != .success
  }

  /// Takes in a failure; whether to report it.
  mutating func failed() -> Bool {
    failures += 1
    defer { reported = .failure }
    return reported == .none
  }

  /// Why the guest was not told; nil if it was.
  static func failure(of output: Subprocess.Output) -> String? {
    switch output.end {
    case .exited(0): return nil
    // A guest that goes down at once takes the connection with it.
    case .exited(sshFailure)
    where output.problem.hasPrefix("Connection to ")
      && output.problem.hasSuffix(" closed by remote host."):
      return nil
    default: return String(output.problem.prefix(200))
    }
  }
}
