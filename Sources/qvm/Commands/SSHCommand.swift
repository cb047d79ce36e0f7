import QMPClient
import QVMControl

struct SSHCommand: Command {
  static let name = "ssh"
  static let summary = "Log in to a guest over ssh, or run a command there."
  static let discussion: String? = """
    The login is that of the images: 'runner', or 'user' on Haiku. 'sudo -i' there makes 'runner' root;
    'qvm status' shows this too.

    qvm waits until the guest is ready. If the ssh server is too busy with other logins and closes the
    connection, qvm connects again.

    As with ssh, the words of COMMAND are joined by blanks and read by the guest's login shell. Quote
    twice what that shell must not change:

      qvm ssh box -- "grep 'two words' /etc/motd"

    COMMAND reads qvm's standard input. In a loop that reads from standard input, redirect it:

      while read -r vm; do qvm ssh "$vm" -- uptime </dev/null; done <list

    SIGINT, SIGTERM and SIGHUP end COMMAND in the guest, with its whole process group: it gets SIGTERM,
    and SIGKILL after five seconds. A second signal, of another kind or at least two seconds later, makes
    qvm exit without waiting for that. The exit status is that of COMMAND, or 128 plus the number of
    the signal that ended it.

    ssh reads no configuration file. It offers the keys in ~/.ssh and those of the agent. The guest's
    host key is stored in the instance's folder at the first connection; another key is refused from
    then on. If the guest has a new host key, remove the file 'known_hosts' in that folder.
    """
  static let parameters: [Parameter<Self>] = [
    .argument("NAME", "The instance, as shown by 'qvm list'.", completing: .instances) {
      $0.instance = $1
    },
    .option(
      "--ready-timeout", "SECONDS", "How long the guest may take to become ready (default: 900)."
    ) { (command: inout Self, time: Seconds) in command.readyTimeout = time.count },
    .trailing("COMMAND", "Run COMMAND in the guest, and exit with its status.") {
      $0.command.append($1)
    },
  ]

  /// A longer wait is reported, before the user wonders about it.
  private static let unnoticed = Duration.milliseconds(500)

  var instance = ""
  var readyTimeout: Int?
  var command: [String] = []

  func advice(missing placeholder: String) -> String? {
    guard let name = command.first else { return nil }
    return "The name belongs before '--': 'qvm ssh \(name) -- \(Self.line(command.dropFirst()))'."
  }

  /// The advice for a command for the guest, after a command of qvm that takes none.
  static func advice(running words: [String], in name: String?) -> String {
    "'qvm ssh \(name ?? "NAME") -- \(line(words[...]))' runs it in a guest that was started."
  }

  private static func line(_ words: ArraySlice<String>) -> String {
    words.isEmpty ? "COMMAND" : words.joined(separator: " ")
  }

  func run() throws -> ExitStatus {
    let timeout =
      try readyTimeout.map { try RunOptionValidation.timeout($0) }
      ?? GuestCommandSession.defaultReadyTimeout
    let begin = SuspendingClock.now
    let store = InstanceStore(try Cache.fromEnvironment())
    let name = try InstanceName(instance)
    let status = try VMStatus.inspect(name, in: store)
    try GuestSSH.checkServer(of: status)
    guard command.isEmpty else { return try runCommand(name, in: store, timeout) }
    InterruptNote.install(
      "no longer waiting; \(name) keeps running. 'qvm status \(name)' shows its state")
    let loop = try EventLoop()
    let result = try loop.run { () -> WaitResult in
      try await GuestSSH.checkClient(on: loop)
      guard status.mayStillBoot else { return .met }
      let token = loop.schedule(at: .now.advanced(by: Self.unnoticed)) {
        Output.note(
          "qvm: waiting until \(name) is ready, for at most \(Int(timeout.inSeconds)) s\n")
      }
      defer { loop.cancel(token) }
      var waiting = InstanceWait(name, in: store, on: loop)
      waiting.remark = { Output.note("qvm: \($0)\n") }
      return try await waiting.wait(for: .ready, within: timeout)
    }
    guard result == .met else {
      if let text = result.sentence(name, .ready, timeoutBy: "--ready-timeout") {
        Output.note("qvm: \(text)\n")
      }
      return result.exitStatus
    }
    let ssh = try GuestSSH(try VMStatus.inspect(name, in: store))
    if Terminal.isTerminal(0), let login = status.record?.target.operatingSystem.login {
      Output.note("qvm: 'qvm ssh \(name)' \(login.sentence); \(login.password)\n")
    }
    let left = max(.zero, timeout - begin.duration(to: .now))
    try Host.become(ssh.program, ssh.arguments([], retryingFor: left))
  }

  private func runCommand(
    _ name: InstanceName, in store: InstanceStore, _ timeout: Duration
  ) throws -> ExitStatus {
    let signals = Mailbox<Signal>()
    Signal.handle(SSHCommandSession.signals) { signals.send($0) }
    let loop = try EventLoop()
    return try loop.run {
      try await SSHCommandSession(
        name, in: store, command: command, readyTimeout: timeout, on: loop
      )
      .run(signals: signals)
    }
  }
}
