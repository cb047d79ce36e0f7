package import QMPClient

/// `qvm run` in the foreground: the guest's console on this terminal, Ctrl-C for its shutdown.
///
/// The supervisor owns the VM. This is its client and holds its lease: if this process exits without
/// having detached, the supervisor shuts the guest down.
package final class ForegroundSession {
  enum Input: Sendable {
    case supervisor(LineSocket.Input)
    case console(QMPInput)
    case typed([UInt8]?)
    case signal(Signal)
    /// Standard output takes more.
    case writable
    /// The console may have taken what was typed.
    case roomToType
    case drained
    /// The console's log has grown, while the log is shown.
    case logGrew
    /// Standard output has no reader any more.
    case readerGone
    /// This process may have the terminal again.
    case lookForTerminal
    case ready(WaitResult?)
  }

  /// How long the last bytes of the console may take after QEMU has exited.
  static let drainTime = Duration.seconds(1)

  /// Whether only failures are reported.
  package var isQuiet = false
  let vm: SupervisedVM
  let loop: EventLoop
  let inputs = Mailbox<Input>()
  let supervisor: SupervisorConnection
  let terminal = Terminal(0)
  var output = ConsoleOutput()
  var keys = EscapeKeys()
  var console: SocketTransport?
  /// How much of `console.log` was shown.
  var place: ConsoleLogPlace
  /// The console's log, while it is shown instead of the console.
  var log: (watch: FileWatch, token: EventLoop.Token)?
  var keyboard: KeyboardInput
  private var writing: EventLoop.Token?
  /// The next look at whether this process has the terminal again.
  var foreground: EventLoop.Token?
  var isAttached = false
  var escalation = SignalEscalation()
  private var endsForOutput = false
  private var isRunning = false
  let notifier: ServiceNotifier?
  var readiness: Task<Void, Never>?
  private let isTerminalOutput = Terminal.isTerminal(1)
  private var ended: (outcome: Outcome, removed: Bool)?

  var name: InstanceName { vm.name }
  var files: InstanceFiles { vm.files }

  package init(
    _ vm: SupervisedVM, escape: EscapeKey = .usual, notifier: ServiceNotifier? = nil,
    loop: EventLoop
  ) {
    self.vm = vm
    self.loop = loop
    self.notifier = notifier
    keys = EscapeKeys(escape)
    place = ConsoleLogPlace(vm.files.console)
    let inputs = self.inputs
    keyboard = KeyboardInput(on: loop) {
      inputs.send(.typed($0))
    } roomToType: {
      inputs.send(.roomToType)
    }
    supervisor = SupervisorConnection(to: vm, on: loop) { inputs.send(.supervisor($0)) }
  }

  /// Shows the console until the VM has ended or the user detaches. Returns the exit status of the
  /// command.
  package func run(signals: Mailbox<Signal>) async -> ExitStatus {
    let inputs = self.inputs
    await supervisor.start()
    let forwarding = signals.forward(to: inputs, on: loop) { .signal($0) }
    let reader = ConsoleOutput.watchReader(on: loop) { inputs.send(.readerGone) }
    defer {
      forwarding.cancel()
      readiness?.cancel()
      loop.cancel(reader)
      stopFollowingLog()
      detachTerminal()
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
    case .console(.bytes(let bytes)):
      // The log is shown instead, and QEMU writes these bytes into it too.
      if log != nil { break }
      place.note(bytes)
      output.show(bytes)
    case .console(.closed), .console(.failed):
      console = nil
      if ended != nil { return finish() }
    case .writable:
      writing = nil
      output.flush()
    case .roomToType: keyboard.resume(console)
    case .drained: return finish()
    case .logGrew: showLog()
    case .lookForTerminal:
      foreground = nil
      if console != nil { attachTerminal() }
    case .readerGone: output.readerIsGone()
    case .ready(let result): if case .met = result { notifier?.ready() }
    case .typed(let bytes): return await typed(bytes)
    case .signal(let signal): await handle(signal)
    }
    return nil
  }

  // MARK: - The supervisor

  private func handle(_ report: SupervisorConnection.Report) async -> ExitStatus? {
    switch report {
    case .event(let event): return await handle(event)
    case .ended(let outcome, let removed):
      ended = (outcome, removed)
      if console == nil { return finish() }
      let inputs = self.inputs
      _ = loop.schedule(at: .now.advanced(by: Self.drainTime)) { inputs.send(.drained) }
      return nil
    case .neverBegan(let text):
      detachTerminal()
      output.remark(text)
      return .failed
    case .lost:
      detachTerminal()
      output.remark(
        "the supervisor of \(name) was killed; the VM may still run\n"
          + "'qvm status \(name)' shows its state, 'qvm stop \(name)' ends it")
      return .failed
    }
  }

  private func handle(_ event: ControlEvent) async -> ExitStatus? {
    switch event {
    case .notice(let text): remarkUnlessQuiet(text)
    case .created:
      attachConsole()
      await supervisor.send(.proceed)
    case .running(_, _, let accelerator):
      isRunning = true
      // The VM was running before this command attached to it.
      if vm.isAttached {
        attachConsole()
        let begin = ((try? BootRecord.read(files.boot)) ?? nil)?.consoleOffset ?? 0
        place.move(to: output.showTail(of: files.console, from: begin))
      }
      let hints =
        (keys.shutsDown ? ["Ctrl-C shuts it down"] : [])
        + (keys.key.title.map { ["\($0) ? for keys"] } ?? [])
      remarkUnlessQuiet("\(name) is running (\(accelerator)); \(hints.joined(separator: ", "))")
      announceReadiness()
    case .phase(.paused, let reason): output.remark("\(name) is paused (\(reason ?? "unknown"))")
    case .phase(.stopping, _): notifier?.stopping()
    case .rung(let rung, let presses):
      notifier?.stopping()
      // A forced end was announced when it was asked for.
      if !escalation.isForcing, let text = ShutdownRemarks.reached(rung, presses: presses) {
        output.remark(text)
      }
    case .failed(let message, let advice, let status):
      detachTerminal()
      output.remark(([message] + [advice].compactMap(\.self)).joined(separator: "\n"))
      return ExitStatus(rawValue: status)
    case .phase, .ended: break
    }
    return nil
  }

  private func finish() -> ExitStatus {
    guard let ended else { return .failed }
    if log != nil { showLog() }
    output.flush(within: Self.drainTime)
    detachTerminal()
    let sentence = vm.sentence(ended.outcome, removed: ended.removed)
    if ended.outcome.result == .clean {
      remarkUnlessQuiet(sentence)
      return endsForOutput && escalation.step == 0 ? .failed : .done
    }
    output.remark(sentence)
    return ended.outcome.result == .forced && escalation.isForcing ? .interrupted : .failed
  }

  private func remarkUnlessQuiet(_ text: String) {
    if !isQuiet { output.remark(text) }
  }

  // MARK: - The end

  private func handle(_ signal: Signal) async {
    switch signal {
    case .terminalStop: suspend()
    case .continued: if console != nil { attachTerminal() }
    default: if let rung = escalation.rung(for: signal) { await stop(rung) }
    }
  }

  /// Has the supervisor end the VM, beginning at a rung.
  private func stop(_ rung: ShutdownRung) async {
    let text = ShutdownRemarks.asked(rung, name)
    rung == .powerButton ? remarkUnlessQuiet(text) : output.remark(text)
    notifier?.stopping()
    await supervisor.send(.stop(rung, timeout: nil))
  }

  /// Writes pending bytes to standard output. If that has failed for good, ends the VM.
  private func awaitOutput() async {
    // With `nohup` the user asks that the command outlive its terminal.
    let outlivesTerminal = isTerminalOutput && Signal.hangUp.isIgnored
    // Before the guest runs it can't be asked to power off.
    if let failure = output.failure, isRunning, !endsForOutput, escalation.step == 0,
      !outlivesTerminal
    {
      // The console has lost its reader: end the guest rather than stall it. This doesn't count as a
      // Ctrl-C: a Ctrl-C may have ended the reader, and its signal may still arrive here.
      endsForOutput = true
      output.remark(failure.message)
      await stop(.powerButton)
    }
    guard output.isPending, writing == nil else { return }
    let inputs = self.inputs
    writing = loop.watch(1, for: .write, once: true) { inputs.send(.writable) }
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
