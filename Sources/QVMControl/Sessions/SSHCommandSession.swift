package import QMPClient

/// `qvm exec NAME COMMAND` and `qvm ssh NAME COMMAND`: waits until the guest is ready, runs the command, and exits with its
/// status.
package final class SSHCommandSession {
  private enum Input: Sendable {
    case waiting
    case remark(String)
    case ready(Result<WaitResult, any Error>)
    /// The command's file is in the guest, if it needs one.
    case delivered(GuestSSH, GuestSSH.Route)
    case ended(ProcessEnd)
    /// nil if the guest has ended the command; otherwise why it could not be told to.
    case told(String?)
    case signal(Signal)
    case supervisor(LineSocket.Input)
    /// The supervisor did not answer: whether the connection that it holds may be used, or a question for
    /// the status.
    case unanswered
  }

  /// The signals that end the command in the guest. Ctrl-\ ends only this process, and Ctrl-Z stops it.
  package static let signals: [Signal] = [.interrupt, .terminate, .hangUp]

  /// How long a wait may last before it is reported; shorter ones go unnoticed.
  private static let unnoticed = Duration.milliseconds(500)
  /// How long the supervisor may take to connect to the guest.
  private static let connectTime = Duration.seconds(35)
  /// How long the supervisor may take to answer otherwise.
  private static let answerTime = Duration.seconds(2)

  private let name: InstanceName
  private let store: InstanceStore
  private let command: GuestCommand
  private let user: String?
  private let userOptions: [String]
  private let readyTimeout: Duration
  private let loop: EventLoop
  private let inputs = Mailbox<Input>()
  private var output = ConsoleOutput()
  private var escalation = SignalEscalation()
  private var run: GuestCommandRun?
  private var delivering: Task<Void, Never>?
  /// Whether the connection was chosen.
  private var hasRoute = false
  private var end: ProcessEnd?
  private var isEnding = false
  private var hasGivenUp = false
  private var supervisor: LineSocket?
  /// Until when the login may take.
  private var deadline = SuspendingClock.now
  /// Whether the guest began anew while the command ran.
  private var isReset = false
  /// Whether the supervisor is to answer first.
  private var isAsking = false

  /// Creates a session for one command.
  ///
  /// - Parameters:
  ///   - name: The instance.
  ///   - store: Where it is.
  ///   - task: What is to run there.
  ///   - user: The guest's user; nil for that of the image.
  ///   - userOptions: The user's options for ssh.
  ///   - readyTimeout: How long the guest may take to be ready and to accept the login.
  ///   - loop: The loop that ``run(signals:)`` is called on.
  package init(
    _ name: InstanceName, in store: InstanceStore, _ task: GuestTask, as user: String? = nil,
    userOptions: [String] = [], readyTimeout: Duration, on loop: EventLoop
  ) {
    self.name = name
    self.store = store
    command = GuestCommand(task)
    self.user = user
    self.userOptions = userOptions
    self.readyTimeout = readyTimeout
    self.loop = loop
  }

  /// Runs the command, and returns its exit status.
  ///
  /// - Throws: ``InstanceError``, ``SSHError`` or ``SpawnError`` if the command can't be started.
  package func run(signals: Mailbox<Signal>) async throws -> ExitStatus {
    let inputs = self.inputs
    deadline = .now.advanced(by: readyTimeout)
    let forwarding = signals.forward(to: inputs, on: loop) { .signal($0) }
    let waiting = wait()
    defer {
      forwarding.cancel()
      waiting.cancel()
      delivering?.cancel()
    }
    while let input = await inputs.next() {
      switch input {
      case .waiting:
        if run == nil {
          output.remark(
            "waiting until \(name) is ready, for at most \(Int(readyTimeout.inSeconds)) s")
        }
      case .remark(let text): if run == nil { output.remark(text) }
      case .ready(.failure(let error)): throw error
      case .ready(.success(.met)): try await connect()
      case .supervisor(let input): try await handle(input)
      case .unanswered:
        isAsking = false
        try await start(.own)
      case .delivered(let ssh, let route): try await spawn(by: ssh, route)
      case .ready(.success(let result)):
        if let text = result.sentence(name, .ready, timeoutBy: "--ready-timeout") {
          output.remark(text)
        }
        return result.exitStatus
      case .ended(let end):
        self.end = end
        await askForReset()
      case .told(let failure):
        isEnding = false
        if let failure, !hasGivenUp {
          output.remark(
            "could not end the command in \(name); it may still be running there: \(failure)")
        }
      case .signal(let signal):
        if let status = handle(signal) { return status }
      }
      if let run, let end, !isEnding, !isAsking { return await finish(run, end) }
    }
    return .failed
  }

  private func wait() -> Task<Void, Never> {
    let (inputs, readyTimeout) = (inputs, readyTimeout)
    var waiting = InstanceWait(name, in: store, on: loop)
    waiting.remark = { inputs.send(.remark($0)) }
    let (name, store, user, waiter, loop) = (name, store, user, waiting, loop)
    let unnoticed = Self.unnoticed
    return Task(executorPreference: loop) {
      do {
        let begin = SuspendingClock.now
        let waitForKeys = {
          try await GuestSSH.waitForKeys(
            name, in: store, as: user, within: readyTimeout - begin.duration(to: .now), on: loop
          ) { inputs.send(.remark($0)) }
        }
        // A guest that is known to be ready needs no wait.
        guard try VMStatus.inspect(name, in: store).mayStillBoot else {
          try await waitForKeys()
          inputs.send(.ready(.success(.met)))
          return
        }
        try await GuestSSH.checkClient(on: loop)
        let timer = loop.schedule(at: .now.advanced(by: unnoticed)) { inputs.send(.waiting) }
        defer { loop.cancel(timer) }
        let result = try await waiter.wait(for: .ready, within: readyTimeout)
        if result == .met { try await waitForKeys() }
        inputs.send(.ready(.success(result)))
      } catch is CancellationError {
      } catch {
        inputs.send(.ready(.failure(error)))
      }
    }
  }

  /// Asks the supervisor for the connection to the guest that it holds, and otherwise starts the command
  /// over one of its own.
  ///
  /// The connection is that of the image's user, with no options. If standard input is a terminal, ssh
  /// must be in the terminal's foreground, and ends by its signals on a shared connection.
  private func connect() async throws {
    let (inputs, files) = (inputs, store.files(name))
    guard let boot = files.bootRecord,
      let socket = try? boot.runtime(files).connect(boot.runtime(files).control)
    else { return try await start(.own) }
    let supervisor = LineSocket(socket, on: loop) { inputs.send(.supervisor($0)) }
    self.supervisor = supervisor
    await supervisor.start()
    let canShare = user == nil && userOptions.isEmpty && !Terminal.isTerminal(0)
    let request: ControlRequest = canShare ? .connection : .subscribe
    await supervisor.send(request.json(boot: boot.token))
    guard canShare else { return try await start(.own) }
    _ = loop.schedule(at: .now.advanced(by: Self.connectTime)) { inputs.send(.unanswered) }
  }

  /// If ssh failed, asks the supervisor for its status: before that comes what it has reported, such as a
  /// reset.
  private func askForReset() async {
    guard end == .exited(ConnectionLoss.status), let supervisor else { return }
    isAsking = true
    await supervisor.send(ControlRequest.status.json)
    let inputs = self.inputs
    _ = loop.schedule(at: .now.advanced(by: Self.answerTime)) { inputs.send(.unanswered) }
  }

  private func handle(_ input: LineSocket.Input) async throws {
    switch input {
    case .line(let json):
      if json["status"] != nil { isAsking = false }
      if ControlEvent(json) == .reset, let run {
        isReset = true
        run.giveUp()
      } else if let answer = json["connection"]?.string {
        try await start(answer == "shared" ? .shared : .own)
      } else if json["error"] != nil {
        // An older supervisor holds no connection.
        try await start(.own)
      }
    case .ended:
      isAsking = false
      try await start(.own)
    }
  }

  /// Starts the command over a connection, unless one was chosen before.
  private func start(_ route: GuestSSH.Route) async throws {
    guard !hasRoute else { return }
    hasRoute = true
    let ssh = try GuestSSH(try VMStatus.inspect(name, in: store), as: user)
    if route == .own { try await GuestSSH.checkClient(on: loop) }
    guard command.needsFile else { return try await spawn(by: ssh, route) }
    var transfer = GuestTransfer(name.text, by: ssh, loginTimeout: timeLeft, on: loop)
    transfer.route = route
    transfer.userOptions = userOptions
    let (inputs, command, delivery) = (self.inputs, self.command, transfer)
    delivering = Task(executorPreference: loop) {
      do {
        try await TaskDelivery.deliver(command, by: delivery)
        inputs.send(.delivered(ssh, route))
      } catch is CancellationError {
      } catch {
        inputs.send(.ready(.failure(error)))
      }
    }
  }

  private func spawn(by ssh: GuestSSH, _ route: GuestSSH.Route) async throws {
    let inputs = self.inputs
    run = try await GuestCommandRun(
      command, by: ssh, userOptions: userOptions, route: route, loginTimeout: timeLeft, on: loop
    ) { inputs.send(.ended($0)) }
  }

  private var timeLeft: Duration { max(.zero, SuspendingClock.now.duration(to: deadline)) }

  /// The status to exit with at once; nil if the command has to be ended first.
  private func handle(_ signal: Signal) -> ExitStatus? {
    guard let rung = escalation.rung(for: signal) else { return nil }
    guard let run else {
      output.remark("interrupted; \(name) keeps running. 'qvm status \(name)' shows its state")
      return signal.exitStatus
    }
    let inputs = self.inputs
    if rung == .powerButton {
      isEnding = true
      output.remark("ending the command in \(name)… (again to stop waiting)")
      run.end(for: signal) { inputs.send(.told($0)) }
    } else if !hasGivenUp {
      hasGivenUp = true
      output.remark("stopped waiting; the command may still be running in \(name)")
      run.giveUp()
    }
    return nil
  }

  private func finish(_ run: GuestCommandRun, _ end: ProcessEnd) async -> ExitStatus {
    await run.settle()
    await supervisor?.send(ControlRequest.commandEnded.json)
    if isReset, ConnectionLoss.isReset(end) {
      output.remark(ConnectionLoss.Cause.reset.sentence(name))
      return ExitStatus(rawValue: ConnectionLoss.status)
    }
    guard let cause = await run.loss(end)?.cause(InstanceWait(name, in: store, on: loop)) else {
      return run.status(of: end)
    }
    output.remark(cause.sentence(name))
    return cause == .end ? .endedFirst : run.status(of: end)
  }
}
