import QMPClient
import QVMControl

struct SSHCommand: Command {
  static let name = "ssh"
  static let summary = "Log in to a guest by ssh, or run a command there."
  static let discussion: String? = """
    Waits until the guest is ready, and connects again where its server is too busy with other logins
    to let one more in. ssh reads no configuration for this, but offers the keys in
    ~/.ssh and the agent's. The guest's host key is kept in the instance's folder at the first
    contact; another one is refused from then on. Where the guest has made itself a new one, remove
    the file 'known_hosts' there.

    SIGINT, SIGTERM and SIGHUP end COMMAND in the guest, with all of its process group: by SIGTERM, and
    by SIGKILL after five seconds. A second signal, two seconds later or of another kind, stops waiting
    for that. The exit status is the command's, or 128 and the number of the signal that ended it.
    """
  static let parameters: [Parameter<Self>] = [
    .argument("NAME", "The instance, as shown by 'qvm list'.", completing: .instances) {
      $0.instance = $1
    },
    .option(
      "--ready-timeout", "SECONDS", "How long the guest may take to be ready (default: 900)."
    ) { $0.readyTimeout = $1 },
    .trailing("COMMAND", "A command for the guest.") { $0.command.append($1) },
  ]

  /// After how long a wait is told of: less than the user wonders.
  private static let unnoticed = Duration.milliseconds(500)

  var instance = ""
  var readyTimeout: Int?
  var command: [String] = []

  func run() throws -> ExitStatus {
    let patience =
      try readyTimeout.map { try RunOptionValidation.timeout($0) }
      ?? GuestCommandSession.defaultPatience
    let begin = SuspendingClock.now
    let store = InstanceStore(try Cache.fromEnvironment())
    let name = try InstanceName(instance)
    let status = try VMStatus.inspect(name, in: store)
    try GuestSSH.checkServer(of: status)
    guard command.isEmpty else { return try runCommand(name, in: store, patience) }
    let loop = try EventLoop()
    let result = try loop.run { () -> WaitResult in
      try await GuestSSH.checkClient(on: loop)
      guard status.mayStillBoot else { return .met }
      let token = loop.schedule(at: .now.advanced(by: Self.unnoticed)) {
        Output.note(
          "qvm: waiting until \(name) is ready, for \(Int(patience.inSeconds)) s at most\n")
      }
      defer { loop.cancel(token) }
      var waiting = InstanceWait(name, in: store, on: loop)
      waiting.remark = { Output.note("qvm: \($0)\n") }
      return try await waiting.wait(for: .ready, within: patience)
    }
    guard result == .met else {
      if let text = result.sentence(name, .ready) { Output.note("qvm: \(text)\n") }
      return result.exitStatus
    }
    let ssh = try GuestSSH(try VMStatus.inspect(name, in: store))
    let left = max(.zero, patience - begin.duration(to: .now))
    try Host.become(ssh.program, ssh.arguments([], insisting: left))
  }

  private func runCommand(
    _ name: InstanceName, in store: InstanceStore, _ patience: Duration
  ) throws -> ExitStatus {
    let signals = Mailbox<Signal>()
    Signal.handle(SSHCommandSession.signals) { signals.send($0) }
    let loop = try EventLoop()
    return try loop.run {
      try await SSHCommandSession(name, in: store, command: command, patience: patience, on: loop)
        .run(signals: signals)
    }
  }
}
