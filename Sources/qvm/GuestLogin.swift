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

  enum Reached: Sendable {
    /// With what is left of the time for the login.
    case ready(GuestSSH, Duration)
    /// The reason was reported; the status to exit with.
    case notReady(ExitStatus)
  }

  /// Waits until the guest is ready, and reports a wait that the user would notice.
  ///
  /// - Throws: ``SSHError``, ``SpawnError``, ``InstanceError``; `CancellationError`.
  func reach(on loop: EventLoop) async throws -> Reached {
    let begin = SuspendingClock.now
    try await GuestSSH.checkClient(on: loop)
    if status.mayStillBoot {
      let token = loop.schedule(at: .now.advanced(by: Self.unnoticed)) {
        Output.note(
          "qvm: waiting until \(name) is ready, for at most \(Int(timeout.inSeconds)) s\n")
      }
      defer { loop.cancel(token) }
      var waiting = InstanceWait(name, in: store, on: loop)
      waiting.remark = { Output.note("qvm: \($0)\n") }
      let result = try await waiting.wait(for: .ready, within: timeout)
      guard result == .met else {
        if let text = result.sentence(name, .ready, timeoutBy: "--ready-timeout") {
          Output.note("qvm: \(text)\n")
        }
        return .notReady(result.exitStatus)
      }
    }
    try await GuestSSH.waitForKeys(
      name, in: store, as: user, within: timeout - begin.duration(to: .now), on: loop
    ) { Output.note("qvm: \($0)\n") }
    let ssh = try GuestSSH(try VMStatus.inspect(name, in: store), as: user)
    return .ready(ssh, max(.zero, timeout - begin.duration(to: .now)))
  }

  /// Runs a copy, and finds out whether the VM has ended if its connection was lost.
  func explaining<Value: Sendable>(
    on loop: EventLoop, _ body: () async throws -> Value
  ) async throws -> Value {
    do { return try await body() } catch CopyError.lost(let name, false, let why) {
      let result = try await InstanceWait(self.name, in: store, on: loop).wait(
        for: .stopped, within: Self.goingTime)
      throw CopyError.lost(name: name, hasEnded: result == .met, why: why)
    }
  }

  /// How long QEMU may take to exit after its connections were closed.
  private static let goingTime = Duration.seconds(2)

  /// Becomes ssh when the guest is ready, with a terminal for a command.
  ///
  /// - Returns: The status to exit with if the guest did not become ready.
  /// - Throws: As ``become(_:_:)``; ``TaskDelivery/Failure``.
  func become(_ command: GuestCommand) throws -> ExitStatus {
    try become([command.line], ["-t"], after: command)
  }

  /// Becomes ssh when the guest is ready.
  ///
  /// - Parameters:
  ///   - words: ssh's words for the guest; none for a login shell.
  ///   - options: The user's options for ssh.
  ///   - command: A command whose file, if it needs one, is to be put into the guest before.
  /// - Returns: The status to exit with if the guest did not become ready.
  /// - Throws: ``SSHError``, ``SpawnError``, or a `SystemError` if ssh can't be executed.
  func become(
    _ words: [String], _ options: [String], after command: GuestCommand? = nil
  ) throws -> ExitStatus {
    InterruptNote.install(
      "no longer waiting; \(name) keeps running. 'qvm status \(name)' shows its state")
    let loop = try EventLoop()
    let ssh: GuestSSH
    let left: Duration
    let reached = try loop.run {
      let reached = try await reach(on: loop)
      if case .ready(let ssh, let time) = reached, let command {
        try await TaskDelivery.deliver(
          command, by: GuestTransfer(name.text, by: ssh, loginTimeout: time, on: loop))
      }
      return reached
    }
    switch reached {
    case .notReady(let status): return status
    case .ready(let client, let time): (ssh, left) = (client, time)
    }
    if words.isEmpty, user == nil, Terminal.isTerminal(0),
      let login = status.record?.target.operatingSystem.login
    {
      let key = try VMStatus.inspect(name, in: store).sshKey
      let how = key == nil ? login.password : "no password, but qvm's own ssh key"
      Output.note("qvm: 'qvm ssh \(name)' \(login.sentence); \(how)\n")
    }
    try Host.become(
      ssh.program, ssh.arguments(words, userOptions: options, retryingFor: left))
  }
}
