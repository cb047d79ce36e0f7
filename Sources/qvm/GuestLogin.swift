import QMPClient
import QVMControl

/// A login to a guest for `ssh` and `exec`, which wait until the guest is ready.
struct GuestLogin {
  /// A longer wait is reported, before the user wonders about it.
  private static let unnoticed = Duration.milliseconds(500)

  private let name: InstanceName
  private let user: String?
  private let timeout: Duration
  private let store: InstanceStore
  private let status: VMStatus

  /// - Parameters:
  ///   - instance: The instance's name, as typed.
  ///   - user: The guest's user; nil for that of the image.
  ///   - readyTimeout: How long the guest may take to be ready, in seconds; nil for the default.
  /// - Throws: ``InstanceError``, ``RunOptionError``, ``UsageError``, or ``SSHError`` if the VM does not
  ///   run or has no ssh server.
  init(_ instance: String, as user: String?, readyTimeout: Int?) throws {
    timeout =
      try readyTimeout.map { try RunOptionValidation.timeout($0) }
      ?? GuestCommandSession.defaultReadyTimeout
    if let user, user.isEmpty || user.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }) {
      throw UsageError.badValue(
        parameter: "<USER>", word: user, expected: "the name of a user in the guest")
    }
    self.user = user
    store = InstanceStore(try Cache.fromEnvironment())
    name = try InstanceName(instance)
    status = try VMStatus.inspect(name, in: store)
    try GuestSSH.checkServer(of: status)
  }

  /// Runs a task without a terminal in the guest, and ends it there when a signal comes.
  ///
  /// - Returns: Its exit status.
  func run(_ task: GuestTask, userOptions: [String] = []) throws -> ExitStatus {
    let signals = Mailbox<Signal>()
    Signal.handle(SSHCommandSession.signals) { signals.send($0) }
    let loop = try EventLoop()
    return try loop.run {
      try await SSHCommandSession(
        name, in: store, task, as: user, userOptions: userOptions, readyTimeout: timeout, on: loop
      )
      .run(signals: signals)
    }
  }

  /// Becomes ssh when the guest is ready.
  ///
  /// - Parameters:
  ///   - words: ssh's words for the guest; none for a login shell.
  ///   - options: The user's options for ssh.
  /// - Returns: The status to exit with if the guest did not become ready.
  /// - Throws: ``SSHError``, ``SpawnError``, or a `SystemError` if ssh can't be executed.
  func become(_ words: [String], _ options: [String]) throws -> ExitStatus {
    let begin = SuspendingClock.now
    InterruptNote.install(
      "no longer waiting; \(name) keeps running. 'qvm status \(name)' shows its state")
    let loop = try EventLoop()
    let result = try loop.run { () -> WaitResult in
      try await GuestSSH.checkClient(on: loop)
      let waitForKeys = {
        try await GuestSSH.waitForKeys(
          name, in: store, as: user, within: timeout - begin.duration(to: .now), on: loop)
      }
      guard status.mayStillBoot else {
        try await waitForKeys()
        return .met
      }
      let token = loop.schedule(at: .now.advanced(by: Self.unnoticed)) {
        Output.note(
          "qvm: waiting until \(name) is ready, for at most \(Int(timeout.inSeconds)) s\n")
      }
      defer { loop.cancel(token) }
      var waiting = InstanceWait(name, in: store, on: loop)
      waiting.remark = { Output.note("qvm: \($0)\n") }
      let result = try await waiting.wait(for: .ready, within: timeout)
      if result == .met { try await waitForKeys() }
      return result
    }
    guard result == .met else {
      if let text = result.sentence(name, .ready, timeoutBy: "--ready-timeout") {
        Output.note("qvm: \(text)\n")
      }
      return result.exitStatus
    }
    let present = try VMStatus.inspect(name, in: store)
    let ssh = try GuestSSH(present, as: user)
    if words.isEmpty, user == nil, Terminal.isTerminal(0),
      let login = status.record?.target.operatingSystem.login
    {
      let how = present.sshKey == nil ? login.password : "no password, but qvm's own ssh key"
      Output.note("qvm: 'qvm ssh \(name)' \(login.sentence); \(how)\n")
    }
    let left = max(.zero, timeout - begin.duration(to: .now))
    try Host.become(
      ssh.program, ssh.arguments(words, userOptions: options, retryingFor: left))
  }
}
