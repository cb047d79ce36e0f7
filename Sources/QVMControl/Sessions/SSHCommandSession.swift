package import QMPClient

/// `qvm exec NAME COMMAND` and `qvm ssh NAME COMMAND`: waits until the guest is ready, runs the command, and exits with its
/// status.
package final class SSHCommandSession {
  private enum Input: Sendable {
    case waiting
    case remark(String)
    case ready(Result<WaitResult, any Error>)
    case ended(ProcessEnd)
    /// nil if the guest has ended the command; otherwise why it could not be told to.
    case told(String?)
    case signal(Signal)
  }

  /// The signals that end the command in the guest. Ctrl-\ ends only this process, and Ctrl-Z stops it.
  package static let signals: [Signal] = [.interrupt, .terminate, .hangUp]

  /// How long a wait may last before it is reported; shorter ones go unnoticed.
  private static let unnoticed = Duration.milliseconds(500)

  private let name: InstanceName
  private let store: InstanceStore
  private let task: GuestTask
  private let user: String?
  private let userOptions: [String]
  private let readyTimeout: Duration
  private let loop: EventLoop
  private let inputs = Mailbox<Input>()
  private var output = ConsoleOutput()
  private var escalation = SignalEscalation()
  private var run: GuestCommandRun?
  private var end: ProcessEnd?
  private var isEnding = false
  private var hasGivenUp = false

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
    self.task = task
    self.user = user
    self.userOptions = userOptions
    self.readyTimeout = readyTimeout
    self.loop = loop
  }

  /// Runs the command, and returns its exit status.
  ///
  /// - Throws: ``InstanceError``, ``SSHError`` or ``SpawnError`` if the command can't be started.
  package func run(signals: Mailbox<Signal>) async throws -> ExitStatus {
    let (inputs, begin) = (inputs, SuspendingClock.now)
    let forwarding = signals.forward(to: inputs, on: loop) { .signal($0) }
    let waiting = wait()
    defer {
      forwarding.cancel()
      waiting.cancel()
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
      case .ready(.success(.met)):
        try await start(loginTimeout: max(.zero, readyTimeout - begin.duration(to: .now)))
      case .ready(.success(let result)):
        if let text = result.sentence(name, .ready, timeoutBy: "--ready-timeout") {
          output.remark(text)
        }
        return result.exitStatus
      case .ended(let end): self.end = end
      case .told(let failure):
        isEnding = false
        if let failure, !hasGivenUp {
          output.remark(
            "could not end the command in \(name); it may still be running there: \(failure)")
        }
      case .signal(let signal):
        if let status = handle(signal) { return status }
      }
      if let run, let end, !isEnding { return await finish(run, end) }
    }
    return .failed
  }

  private func wait() -> Task<Void, Never> {
    let (inputs, readyTimeout) = (inputs, readyTimeout)
    var waiting = InstanceWait(name, in: store, on: loop)
    waiting.remark = { inputs.send(.remark($0)) }
    let (name, store, waiter, loop) = (name, store, waiting, loop)
    let unnoticed = Self.unnoticed
    return Task(executorPreference: loop) {
      do {
        try await GuestSSH.checkClient(on: loop)
        // A guest that is known to be ready needs no wait.
        guard try VMStatus.inspect(name, in: store).mayStillBoot else {
          inputs.send(.ready(.success(.met)))
          return
        }
        let timer = loop.schedule(at: .now.advanced(by: unnoticed)) { inputs.send(.waiting) }
        defer { loop.cancel(timer) }
        inputs.send(.ready(.success(try await waiter.wait(for: .ready, within: readyTimeout))))
      } catch is CancellationError {
      } catch {
        inputs.send(.ready(.failure(error)))
      }
    }
  }

  private func start(loginTimeout: Duration) async throws {
    let inputs = self.inputs
    let ssh = try GuestSSH(try VMStatus.inspect(name, in: store), as: user)
    run = try await GuestCommandRun(
      task, by: ssh, userOptions: userOptions, loginTimeout: loginTimeout, on: loop
    ) { inputs.send(.ended($0)) }
  }

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
    guard let cause = await run.loss(end)?.cause(InstanceWait(name, in: store, on: loop)) else {
      return run.status(of: end)
    }
    output.remark(cause.sentence(name))
    return cause == .end ? .endedFirst : run.status(of: end)
  }
}
