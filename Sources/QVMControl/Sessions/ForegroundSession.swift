package import QMPClient

/// `qvm run` in the foreground: the guest's console on this terminal, Ctrl-C for its shutdown.
///
/// The supervisor owns the VM. This is its client and holds its lease: if this process exits without
/// having detached, the supervisor shuts the guest down.
package final class ForegroundSession {
  private enum Input: Sendable {
    case supervisor(LineSocket.Input)
    case view(ConsoleView.Input)
    case signal(Signal)
    case drained
    case ready(WaitResult?)
  }

  /// How long the last bytes of the console may take after QEMU has exited.
  private static let drainTime = Duration.seconds(1)

  /// Whether only failures are reported.
  package var isQuiet = false
  /// How to get into the guest, as a sentence after "NAME is ready: "; nil if that is not to be said.
  package var wayIn: String?
  private let vm: SupervisedVM
  private let loop: EventLoop
  private let inputs = Mailbox<Input>()
  private let supervisor: SupervisorConnection
  private let view: ConsoleView
  private var escalation = SignalEscalation()
  private var endsForOutput = false
  private var isRunning = false
  private let notifier: ServiceNotifier?
  private var readiness: Task<Void, Never>?
  private let isTerminalOutput = Terminal.isTerminal(1)
  private var ended: (outcome: Outcome, removed: Bool)?

  private var name: InstanceName { vm.name }

  package init(
    _ vm: SupervisedVM, escape: EscapeKey = .usual, notifier: ServiceNotifier? = nil,
    loop: EventLoop
  ) {
    self.vm = vm
    self.loop = loop
    self.notifier = notifier
    let inputs = self.inputs
    view = ConsoleView(vm, escape: escape, on: loop) { inputs.send(.view($0)) }
    supervisor = SupervisorConnection(to: vm, on: loop) { inputs.send(.supervisor($0)) }
  }

  /// Shows the console until the VM has ended or the user detaches. Returns the exit status of the
  /// command.
  package func run(signals: Mailbox<Signal>) async -> ExitStatus {
    let inputs = self.inputs
    await supervisor.start()
    let forwarding = signals.forward(to: inputs, on: loop) { .signal($0) }
    let reader = view.watchReader()
    defer {
      forwarding.cancel()
      readiness?.cancel()
      loop.cancel(reader)
      view.close()
    }
    while let input = await inputs.next() {
      if let status = await handle(input) { return status }
      await awaitOutput()
    }
    return .failed
  }

  private func handle(_ input: Input) async -> ExitStatus? {
    switch input {
    case .supervisor(let input):
      // After the report of the end, the supervisor closes the connection.
      guard ended == nil, let report = supervisor.report(of: input) else { break }
      return await handle(report)
    case .view(let input): return await handle(view.handle(input))
    case .drained: return finish()
    case .ready(let result): if case .met = result { notifier?.ready() }
    case .signal(let signal): await handle(signal)
    }
    return nil
  }

  private func handle(_ event: ConsoleView.Event?) async -> ExitStatus? {
    switch event {
    case .closed?: return ended == nil ? nil : finish()
    case .detach?:
      await supervisor.send(.detach)
      view.detachTerminal()
      view.remark(
        "detached; \(name) keeps running. 'qvm attach \(name)' returns to it,"
          + " 'qvm stop \(name)' shuts it down")
      return .done
    case nil: return nil
    }
  }

  // MARK: - The supervisor

  private func handle(_ report: SupervisorConnection.Report) async -> ExitStatus? {
    switch report {
    case .event(let event): return await handle(event)
    case .ended(let outcome, let removed):
      ended = (outcome, removed)
      if !view.isOpen { return finish() }
      let inputs = self.inputs
      _ = loop.schedule(at: .now.advanced(by: Self.drainTime)) { inputs.send(.drained) }
      return nil
    case .neverBegan(let text):
      view.detachTerminal()
      view.remark(text)
      return .failed
    case .lost:
      view.detachTerminal()
      view.remark(
        "the supervisor of \(name) was killed; the VM may still run\n"
          + "'qvm status \(name)' shows its state, 'qvm stop \(name)' ends it")
      return .failed
    }
  }

  private func handle(_ event: ControlEvent) async -> ExitStatus? {
    switch event {
    case .notice(let text): remarkUnlessQuiet(text)
    case .created:
      view.attachConsole()
      await supervisor.send(.proceed)
    case .running(_, _, let accelerator):
      isRunning = true
      // The VM was running before this command attached to it.
      if vm.isAttached {
        view.attachConsole()
        view.showTail()
      }
      remarkUnlessQuiet(
        "\(name) is running (\(accelerator)); \(view.hints.joined(separator: ", "))")
      announceReadiness()
    case .phase(.paused, let reason): view.remark("\(name) is paused (\(reason ?? "unknown"))")
    case .phase(.stopping, _): notifier?.stopping()
    case .rung(let rung, let presses):
      notifier?.stopping()
      // A forced end was announced when it was asked for.
      if !escalation.isForcing, let text = ShutdownRemarks.reached(rung, presses: presses) {
        view.remark(text)
      }
    case .failed(let message, let advice, let status):
      view.detachTerminal()
      view.remark(([message] + [advice].compactMap(\.self)).joined(separator: "\n"))
      return ExitStatus(rawValue: status)
    case .ready: if let wayIn { remarkUnlessQuiet("\(name) is ready: \(wayIn)") }
    case .phase, .reset, .ended: break
    }
    return nil
  }

  private func finish() -> ExitStatus {
    guard let ended else { return .failed }
    view.finish(within: Self.drainTime)
    let sentence = vm.sentence(ended.outcome, removed: ended.removed)
    if ended.outcome.result == .clean {
      remarkUnlessQuiet(sentence)
      // A user who boots it a second time knows that it stays.
      if !ended.removed, vm.isFirstBoot { remarkUnlessQuiet(vm.keptRemark) }
      return endsForOutput && escalation.step == 0 ? .failed : .done
    }
    view.remark(sentence)
    return ended.outcome.result == .forced && escalation.isForcing ? .interrupted : .failed
  }

  private func remarkUnlessQuiet(_ text: String) {
    if !isQuiet { view.remark(text) }
  }

  // MARK: - The end

  private func handle(_ signal: Signal) async {
    switch signal {
    case .terminalStop: view.suspend()
    case .continued: view.reattachTerminal()
    default: if let rung = escalation.rung(for: signal) { await stop(rung) }
    }
  }

  /// Has the supervisor end the VM, beginning at a rung.
  private func stop(_ rung: ShutdownRung) async {
    let text = ShutdownRemarks.asked(rung, name)
    rung == .powerButton ? remarkUnlessQuiet(text) : view.remark(text)
    notifier?.stopping()
    await supervisor.send(.stop(rung, timeout: nil))
  }

  /// Writes pending bytes to standard output. If that has failed for good, ends the VM.
  private func awaitOutput() async {
    // With `nohup` the user asks that the command outlive its terminal.
    let outlivesTerminal = isTerminalOutput && Signal.hangUp.isIgnored
    // Before the guest runs it can't be asked to power off.
    if let failure = view.failure, isRunning, !endsForOutput, escalation.step == 0,
      !outlivesTerminal
    {
      // The console has lost its reader: end the guest rather than stall it. This doesn't count as a
      // Ctrl-C: a Ctrl-C may have ended the reader, and its signal may still arrive here.
      endsForOutput = true
      view.remark(failure.message)
      await stop(.powerButton)
    }
    view.awaitOutput()
  }

  /// Tells the service manager when the guest is ready, if there is one.
  private func announceReadiness() {
    guard let notifier, readiness == nil else { return }
    notifier.booting()
    let (inputs, waiting) = (inputs, InstanceWait(name, in: vm.store, on: loop))
    readiness = Task(executorPreference: loop) {
      var result = try? await waiting.wait(for: .ready, within: nil)
      // A VM that seemed dead may still become ready. The service manager's timeout is the limit.
      while case .dead = result { result = try? await waiting.wait(for: .ready, within: nil) }
      inputs.send(.ready(result))
    }
  }
}
