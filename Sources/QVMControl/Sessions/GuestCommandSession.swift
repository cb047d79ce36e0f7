package import QMPClient

/// `qvm run … -- COMMAND`: waits until the guest is ready, runs one command in it by ssh, shuts the
/// guest down, and ends with the command's status.
package final class GuestCommandSession {
  enum Input: Sendable {
    case supervisor(LineSocket.Input)
    case ready(WaitResult)
    /// What is still waited for.
    case remark(String)
    case unable(String)
    case commandEnded(ProcessEnd)
    /// What became of ssh's connection, if it wasn't the command that has ended.
    case judged(String?)
    /// The guest has ended the command, or why it could not be told to.
    case told(String?)
    case signal(Signal)
    /// Somebody who takes over from the supervisor was asked to end the VM.
    case stopping
    case stopped(Result<StopRequest.Result, any Error>)
  }

  /// How long a guest may take to be ready; one that is emulated on a busy machine takes minutes.
  package static let defaultPatience = Duration.seconds(900)

  /// Whether only failures are told.
  package var isQuiet = false
  /// How long this guest may take to be ready.
  package var patience = defaultPatience
  let launched: SupervisedVM
  private let command: [String]
  let store: InstanceStore
  let loop: EventLoop
  let inputs = Mailbox<Input>()
  private let supervisor: LineSocket
  var output = ConsoleOutput()
  var process: GuestCommandRun?
  var status: ExitStatus?
  var insistence = SignalEscalation()
  private var wasCommandTold = false
  private let notifier: ServiceNotifier?
  private var waiting: Task<Void, Never>?
  private var judging: Task<Void, Never>?

  package init(
    _ launched: SupervisedVM, command: [String], notifier: ServiceNotifier? = nil,
    loop: EventLoop
  ) {
    self.launched = launched
    self.command = command
    self.notifier = notifier
    store = launched.store
    self.loop = loop
    let inputs = self.inputs
    supervisor = LineSocket(launched.supervisor, on: loop) { inputs.send(.supervisor($0)) }
  }

  /// Runs the command and ends the VM; the command's exit status, 255 where ssh itself failed.
  package func run(signals: Mailbox<Signal>) async -> ExitStatus {
    let inputs = self.inputs
    await supervisor.start()
    let forwarding = Task(executorPreference: loop) {
      while let signal = await signals.next() { inputs.send(.signal(signal)) }
    }
    defer {
      forwarding.cancel()
      waiting?.cancel()
    }
    let status = await runToEnd()
    await process?.settle()
    judging?.cancel()
    await judging?.value
    return status
  }

  private func runToEnd() async -> ExitStatus {
    while let input = await inputs.next() {
      switch input {
      case .supervisor(.line(let json)):
        if let event = ControlEvent(json), let status = await handle(event) { return status }
      case .supervisor(.ended):
        return await supervisorLost()
      // What is being shut down isn't to begin anything.
      case .ready where insistence.step > 0: break
      case .ready(.met):
        notifier?.ready()
        await startCommand()
      case .ready(let result):
        // The VM's own end is told by the supervisor; the dead obey no button.
        switch result {
        case .dead:
          output.remark(result.sentence(launched.name, .ready) ?? "")
          await stop(.quit)
        case .timedOut:
          output.remark(result.sentence(launched.name, .ready) ?? "")
          status = .timedOut
          await stop(.powerButton)
        default: break
        }
      case .remark(let text): if insistence.step == 0 { output.remark(text) }
      case .unable(let why):
        output.remark(why)
        await stop(.powerButton)
      case .commandEnded(let end): await commandEnded(end)
      case .judged(let loss):
        if let loss { output.remark(loss) }
        await stop(.powerButton)
      case .told(let failure):
        if let failure, insistence.step < 2 {
          output.remark("could not end the command in the guest: \(failure)")
        }
      case .signal(let signal): await handle(signal)
      case .stopping, .stopped: break
      }
    }
    return .failed
  }

  private func handle(_ event: ControlEvent) async -> ExitStatus? {
    switch event {
    case .notice(let text): if !isQuiet { output.remark(text) }
    case .running:
      notifier?.booting()
      awaitReadiness()
    case .phase(.stopping, _), .rung: notifier?.stopping()
    case .failed(let message, let advice, let status):
      output.remark(([message] + [advice].compactMap(\.self)).joined(separator: "\n"))
      return ExitStatus(rawValue: status)
    case .ended(let outcome, let removed):
      guard launched.files.hasEnded(boot: outcome.token) else { return await supervisorLost() }
      process?.giveUp()
      output.remark(
        outcome.sentence(launched.name.text, disk: removed ? nil : launched.files.disk))
      if insistence.isForcing { return .interrupted }
      return status ?? (insistence.step > 0 ? .interrupted : .failed)
    default: break
    }
    return nil
  }

  private func awaitReadiness() {
    let inputs = self.inputs
    var waiter = InstanceWait(launched.name, in: store, on: loop)
    if !isQuiet { waiter.remark = { inputs.send(.remark($0)) } }
    let patience = self.patience
    waiting = Task(executorPreference: loop) {
      do {
        inputs.send(.ready(try await waiter.wait(for: .ready, within: patience)))
      } catch is CancellationError {
      } catch {
        inputs.send(.unable((error as? any UserFacingError)?.message ?? "\(error)"))
      }
    }
  }

  private func startCommand() async {
    let inputs = self.inputs
    do {
      let ssh = try GuestSSH(try VMStatus.inspect(launched.name, in: store))
      process = try await GuestCommandRun(
        command, by: ssh, options: ["-o", "BatchMode=yes"], insisting: patience,
        on: loop
      ) { inputs.send(.commandEnded($0)) }
    } catch {
      inputs.send(.unable((error as? any UserFacingError)?.message ?? "\(error)"))
    }
  }

  private func handle(_ signal: Signal) async {
    guard signal.asksForEnd else {
      if signal == .terminalStop { Signal.stopThisProcess() }
      return
    }
    let rung = insistence.rung(for: signal)
    // The guest is shut down when its command has ended.
    if let process, !wasCommandTold, !insistence.isForcing {
      wasCommandTold = true
      let inputs = self.inputs
      if !isQuiet { output.remark("ending the command in the guest… (again to force)") }
      return process.end(for: signal) { inputs.send(.told($0)) }
    }
    if let rung { await stop(rung) }
  }

  private func stop(_ rung: ShutdownRung) async {
    await supervisor.send(ControlRequest.stop(rung, timeout: nil).json)
  }

  private func commandEnded(_ end: ProcessEnd) async {
    guard let process else { return }
    self.process = nil
    await process.settle()
    status = process.status(of: end)
    guard let loss = process.loss(end), insistence.step == 0 else {
      return await stop(.powerButton)
    }
    let inputs = self.inputs
    let waiting = InstanceWait(launched.name, in: store, on: loop)
    judging = Task(executorPreference: loop) {
      inputs.send(.judged(await loss.explanation(waiting)))
    }
  }
}
