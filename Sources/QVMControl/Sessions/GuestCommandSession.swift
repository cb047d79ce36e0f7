package import QMPClient

/// `qvm run … -- COMMAND`: waits until the guest is ready, runs one command in it over ssh, shuts the
/// guest down, and exits with the command's status.
package final class GuestCommandSession {
  enum Input: Sendable {
    case supervisor(LineSocket.Input)
    case ready(WaitResult)
    /// A report of what is still missing.
    case remark(String)
    /// Why the command can't be run.
    case unable(String)
    /// The command's file is in the guest, if it needs one.
    case delivered(GuestSSH)
    case commandEnded(ProcessEnd)
    /// Why ssh's connection was lost; nil if the command itself has ended.
    case judged(String?)
    /// nil if the guest has ended the command; otherwise why it could not be told to.
    case told(String?)
    /// The volumes are in the guest.
    case arrived(CommandFiles.CopiedIn)
    /// The changes in volumes and the outputs are here.
    case returned(CommandFiles.CopiedBack)
    case signal(Signal)
    /// A supervisor that adopted the VM was asked to end it.
    case stopping
    case stopped(Result<StopRequest.Completion, any Error>)
  }

  /// How long a guest may take to be ready. An emulated guest on a busy host takes minutes.
  package static let defaultReadyTimeout = Duration.seconds(900)

  /// Whether only failures are reported.
  package var isQuiet = false
  /// Called with each milestone.
  package var reached: (RunMilestone) -> Void = { _ in }
  /// Shows how far the boot is; nil if that is not to be seen.
  package var showBoot: BootProgress.Show? {
    didSet {
      let showBoot = showBoot
      output.beforeRemark = { showBoot?(nil) }
    }
  }
  /// How long this guest may take to be ready.
  package var readyTimeout = defaultReadyTimeout
  /// What is copied before the command and after it.
  package var files = CommandFiles()
  let vm: SupervisedVM
  let command: GuestCommand
  let loop: EventLoop
  let inputs = Mailbox<Input>()
  private let supervisor: SupervisorConnection
  var output = ConsoleOutput()
  var process: GuestCommandRun?
  var status: ExitStatus?
  var escalation = SignalEscalation()
  private var wasCommandTold = false
  /// Whether the guest began anew while the command ran.
  private var isReset = false
  private let notifier: ServiceNotifier?
  private var waiting: Task<Void, Never>?
  private var boot: BootProgress?
  private var judging: Task<Void, Never>?
  var copying: Task<Void, Never>?
  /// The volumes whose changes have not come back yet.
  var arrivals: [CommandFiles.Arrival] = []

  package init(
    _ vm: SupervisedVM, _ task: GuestTask, notifier: ServiceNotifier? = nil,
    loop: EventLoop
  ) {
    self.vm = vm
    command = GuestCommand(task)
    self.notifier = notifier
    self.loop = loop
    let inputs = self.inputs
    supervisor = SupervisorConnection(to: vm, on: loop) { inputs.send(.supervisor($0)) }
  }

  /// Runs the command, then ends the VM. Returns the command's exit status, or 255 if ssh itself failed.
  package func run(signals: Mailbox<Signal>) async -> ExitStatus {
    let inputs = self.inputs
    await supervisor.start()
    let forwarding = signals.forward(to: inputs, on: loop) { .signal($0) }
    defer {
      forwarding.cancel()
      waiting?.cancel()
      boot?.stop()
    }
    let status = await runToEnd()
    await process?.settle()
    judging?.cancel()
    await judging?.value
    copying?.cancel()
    await copying?.value
    return status
  }

  private func runToEnd() async -> ExitStatus {
    while let input = await inputs.next() {
      switch input {
      case .supervisor(let input):
        if let report = supervisor.report(of: input), let status = await handle(report) {
          return status
        }
      // During a shutdown no command is started.
      case .ready where escalation.step > 0: boot?.stop()
      case .ready(.met):
        boot?.stop()
        notifier?.ready()
        reached(.ready)
        if files.volumes.isEmpty { await startCommand() } else { startCopyingIn() }
      case .ready(let result):
        boot?.stop()
        // The supervisor reports the VM's end. A dead guest doesn't react to the power button.
        switch result {
        case .dead:
          output.remark(result.sentence(vm.name, .ready, timeoutBy: "--ready-timeout") ?? "")
          await stop(.quit)
        case .timedOut:
          output.remark(result.sentence(vm.name, .ready, timeoutBy: "--ready-timeout") ?? "")
          status = .timedOut
          await stop(.powerButton)
        default: break
        }
      case .remark(let text): if escalation.step == 0 { output.remark(text) }
      case .unable(let why):
        boot?.stop()
        output.remark(why)
        await stop(.powerButton)
      case .delivered(let ssh): if escalation.step == 0 { await spawnCommand(by: ssh) }
      case .arrived(let copied): await handle(copied)
      case .returned(let copied): await handle(copied)
      case .commandEnded(let end): await commandEnded(end)
      case .judged(let loss):
        if let loss {
          reached(.lost)
          output.remark(loss)
          endCopying()
          await stop(.powerButton)
        } else {
          // 255 is the command's own status.
          await finish()
        }
      case .told(let failure):
        if let failure, escalation.step < 2 {
          output.remark("could not end the command in the guest: \(failure)")
        }
      case .signal(let signal): await handle(signal)
      case .stopping, .stopped: break
      }
    }
    return .failed
  }

  private func handle(_ report: SupervisorConnection.Report) async -> ExitStatus? {
    switch report {
    case .event(let event): return handle(event)
    case .ended(let outcome, let removed):
      boot?.stop()
      process?.giveUp()
      endCopying()
      let sentence = vm.sentence(outcome, removed: removed)
      if outcome.result == .clean { remarkUnlessQuiet(sentence) } else { output.remark(sentence) }
      if outcome.result == .clean, !removed { remarkUnlessQuiet(keptRemark) }
      if escalation.isForcing { return .interrupted }
      return status ?? (escalation.step > 0 ? .interrupted : .failed)
    case .neverBegan(let text):
      output.remark(text)
      return .failed
    case .lost:
      boot?.stop()
      process?.giveUp()
      endCopying()
      output.remark("the supervisor of \(vm.name) was killed; shutting \(vm.name) down without it")
      return await stopWithoutSupervisor()
    }
  }

  private func handle(_ event: ControlEvent) -> ExitStatus? {
    switch event {
    case .notice(let text): remarkUnlessQuiet(text)
    case .running(_, _, let accelerator):
      notifier?.booting()
      reached(.running)
      remarkToPerson(
        "\(vm.name) is running (\(accelerator)); the command starts when the guest is ready")
      awaitReadiness()
    case .phase(.stopping, _), .rung: notifier?.stopping()
    case .reset:
      // The command is gone. Its connection would not notice for minutes.
      isReset = process != nil
      process?.giveUp()
    case .failed(let message, let advice, let status):
      output.remark(([message] + [advice].compactMap(\.self)).joined(separator: "\n"))
      return ExitStatus(rawValue: status)
    default: break
    }
    return nil
  }

  /// What becomes of the instance after its command.
  private var keptRemark: String {
    vm.keptRemark + "; "
      + "'qvm run --rm' removes an instance after its command"
  }

  func remarkUnlessQuiet(_ text: String) {
    if !isQuiet { output.remark(text) }
  }

  /// Remarks what only matters to somebody who watches. In a log it would be noise beside the command's output.
  func remarkToPerson(_ text: String) {
    if Terminal.isTerminal(2) { remarkUnlessQuiet(text) }
  }

  private func awaitReadiness() {
    let inputs = self.inputs
    var waiter = InstanceWait(vm.name, in: vm.store, on: loop)
    boot = showBoot.map { BootProgress(of: waiter, show: $0) }
    // The line that moves says more than the sentences.
    if !isQuiet, boot == nil { waiter.remark = { inputs.send(.remark($0)) } }
    let (timeout, name, store, loop) = (readyTimeout, vm.name, vm.store, loop)
    let isQuiet = isQuiet
    waiting = Task(executorPreference: loop) {
      do {
        let begin = SuspendingClock.now
        let result = try await waiter.wait(for: .ready, within: timeout)
        if result == .met {
          try await GuestSSH.waitForKeys(
            name, in: store, as: nil, within: timeout - begin.duration(to: .now), on: loop
          ) { if !isQuiet { inputs.send(.remark($0)) } }
        }
        inputs.send(.ready(result))
      } catch is CancellationError {
      } catch {
        inputs.send(.unable(error.messageForUser))
      }
    }
  }

  private func handle(_ signal: Signal) async {
    guard signal.asksForEnd else {
      if signal == .terminalStop { Signal.stopThisProcess() }
      return
    }
    let rung = escalation.rung(for: signal)
    // The first signal ends the command. The shutdown follows when the command has ended.
    if let process, !wasCommandTold, !escalation.isForcing {
      wasCommandTold = true
      let inputs = self.inputs
      remarkUnlessQuiet("ending the command in the guest… (again to force)")
      return process.end(for: signal) { inputs.send(.told($0)) }
    }
    guard let rung else { return }
    boot?.stop()
    copying?.cancel()
    let text = ShutdownRemarks.asked(rung, vm.name)
    rung == .powerButton ? remarkUnlessQuiet(text) : output.remark(text)
    await stop(rung)
  }

  func stop(_ rung: ShutdownRung) async {
    await supervisor.send(.stop(rung, timeout: nil))
  }

  private func commandEnded(_ end: ProcessEnd) async {
    guard let process else { return }
    self.process = nil
    await process.settle()
    status = process.status(of: end)
    if isReset, ConnectionLoss.isReset(end) {
      status = ExitStatus(rawValue: ConnectionLoss.status)
      reached(.lost)
      output.remark(ConnectionLoss.Cause.reset.sentence(vm.name))
      endCopying()
      return await stop(.powerButton)
    }
    if let status { reached(.commandEnded(status.rawValue)) }
    guard let loss = process.loss(end), escalation.step == 0 else {
      return await finish()
    }
    let inputs = self.inputs
    let waiting = InstanceWait(vm.name, in: vm.store, on: loop)
    judging = Task(executorPreference: loop) {
      inputs.send(.judged(await loss.cause(waiting)?.sentence(waiting.name)))
    }
  }
}
