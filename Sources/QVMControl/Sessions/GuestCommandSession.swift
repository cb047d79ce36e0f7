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
  let launched: Launch.Launched
  private let command: [String]
  let store: InstanceStore
  let loop: EventLoop
  let inputs = Mailbox<Input>()
  private let supervisor: LineSocket
  var output = ConsoleOutput()
  var process: ChildProcess?
  var status: ExitStatus?
  var insistence = Insistence()
  private var wasCommandTold = false
  private let notifier: ServiceNotifier?
  private var waiting: Task<Void, Never>?

  package init(
    _ launched: Launch.Launched, command: [String], notifier: ServiceNotifier? = nil,
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
      case .commandEnded(let end):
        process = nil
        status = Self.status(of: end)
        await stop(.powerButton)
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
      process?.signal(.terminate)
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
    var waiter = Waiting(launched.name, in: store, on: loop)
    if !isQuiet { waiter.remark = { inputs.send(.remark($0)) } }
    let patience = self.patience
    waiting = Task(executorPreference: loop) {
      do {
        inputs.send(.ready(try await waiter.wait(for: .ready, within: patience)))
      } catch is CancellationError {
      } catch {
        inputs.send(.unable((error as? any QVMFailure)?.message ?? "\(error)"))
      }
    }
  }

  private func startCommand() async {
    let inputs = self.inputs
    do {
      let ssh = try GuestSSH(try VMStatus.inspect(launched.name, in: store))
      let process = try ChildProcess(
        .init(
          ssh.program,
          ssh.arguments(command, options: ["-o", "BatchMode=yes"], insisting: patience),
          descriptors: (0...2).map { Host.copy(of: $0) }))
      self.process = process
      process.whenEnded { inputs.send(.commandEnded($0)) }
    } catch {
      inputs.send(.unable((error as? any QVMFailure)?.message ?? "\(error)"))
    }
  }

  private func handle(_ signal: Signal) async {
    guard signal.asksForEnd else {
      if signal == .terminalStop { Signal.stopThisProcess() }
      return
    }
    let rung = insistence.rung(for: signal)
    // What the command makes of it decides, the first time; the terminal may have told it already.
    if let process, !wasCommandTold, !insistence.isForcing {
      wasCommandTold = true
      return process.signal(signal)
    }
    if let rung { await stop(rung) }
  }

  private func stop(_ rung: ShutdownLadder.Rung) async {
    await supervisor.send(ControlRequest.stop(rung, timeout: nil).json)
  }

  private static func status(of end: ProcessEnd) -> ExitStatus {
    switch end {
    case .exited(let status): ExitStatus(rawValue: status)
    case .signalled(let signal): ExitStatus(rawValue: 128 + signal)
    }
  }
}
