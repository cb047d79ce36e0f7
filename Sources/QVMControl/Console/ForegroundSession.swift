package import QMPClient

/// `qvm run` in the foreground: the guest's console on this terminal, Ctrl-C for its shutdown.
///
/// The VM is the supervisor's; this is its client and holds its lease: when this process goes
/// without having detached, the supervisor shuts the guest down.
package final class ForegroundSession {
  enum Input: Sendable {
    case supervisor(LineSocket.Input)
    case console(QMPInput)
    case typed([UInt8]?)
    case signal(Signal)
    /// Standard output takes more.
    case writable
    /// The console has taken what was typed.
    case roomToType
    case drained
  }

  /// DECAWM of the VT100.
  static let wrapLines = Array("\u{1B}[?7h".utf8)
  /// How long the last bytes of the console may take after QEMU has ended.
  static let drainTime = Duration.seconds(1)

  /// Whether only failures are told.
  package var isQuiet = false
  let name: InstanceName
  let files: InstanceFiles
  let runtime: RuntimeFolder
  let loop: EventLoop
  let inputs = Mailbox<Input>()
  let supervisor: LineSocket
  let terminal = Terminal(0)
  var output = ConsoleOutput()
  var keys = EscapeKeys()
  var console: SocketTransport?
  /// How much of `console.log` has been shown, in bytes.
  var position: Int
  var typing: EventLoop.Token?
  var writing: EventLoop.Token?
  var isAttached = false
  var interrupts = 0
  var wasForced = false
  var ended: (outcome: Outcome, removed: Bool)?

  package init(
    _ name: InstanceName, files: InstanceFiles, runtime: RuntimeFolder, supervisor: Descriptor,
    loop: EventLoop
  ) {
    self.name = name
    self.files = files
    self.runtime = runtime
    self.loop = loop
    position = Files.information(files.console)?.size ?? 0
    let inputs = self.inputs
    self.supervisor = LineSocket(supervisor, on: loop) { inputs.send(.supervisor($0)) }
  }

  /// Shows the console until the VM has ended or the user detaches; the exit status of the command.
  package func run(signals: Mailbox<Signal>) async -> ExitStatus {
    let inputs = self.inputs
    await supervisor.start()
    let forwarding = Task(executorPreference: loop) {
      while let signal = await signals.next() { inputs.send(.signal(signal)) }
    }
    defer {
      forwarding.cancel()
      detachTerminal()
    }
    while let input = await inputs.next() {
      if let status = await handle(input) { return status }
      awaitOutput()
    }
    return .failed
  }

  func awaitOutput() {
    guard output.isPending, writing == nil else { return }
    let inputs = self.inputs
    writing = loop.watch(1, for: .write, once: true) { inputs.send(.writable) }
  }

  private func handle(_ input: Input) async -> ExitStatus? {
    switch input {
    case .supervisor(.line(let json)):
      return await ControlEvent(json).asyncFlatMap { await handle($0) }
    case .supervisor(.ended): return supervisorLost()
    case .console(.bytes(let bytes)):
      position += bytes.count
      output.show(bytes)
      // Nobody sees the console any more: that is a reason to end, not to stall the guest.
      if !output.isOpen, interrupts == 0 { await interrupt() }
    case .console(.closed), .console(.failed):
      console = nil
      if ended != nil { return finish() }
    case .writable:
      writing = nil
      output.flush()
    case .roomToType: resumeTyping()
    case .drained: return finish()
    case .typed(let bytes): return await typed(bytes)
    case .signal(let signal): await handle(signal)
    }
    return nil
  }

  // MARK: - What the supervisor says

  func handle(_ event: ControlEvent) async -> ExitStatus? {
    switch event {
    case .notice(let text): if !isQuiet { output.remark(text) }
    case .created:
      attachConsole()
      await supervisor.send(ControlRequest.proceed.json)
    case .running(_, _, let accelerator):
      output.remark("\(name) is running (\(accelerator)); Ctrl-C shuts it down, Ctrl-] ? for keys")
    case .phase(.paused, let reason): output.remark("\(name) is paused (\(reason ?? "unknown"))")
    case .phase: break
    case .rung(let rung, let presses):
      if rung == ShutdownLadder.Rung.powerButton.name, presses > 1 {
        output.remark("pressed the power button again (\(presses) times)")
      } else if rung == ShutdownLadder.Rung.guestCommand.name {
        output.remark("told the guest by ssh to power off")
      } else if rung == ShutdownLadder.Rung.quit.name, interrupts < 2 {
        output.remark("\(name) did not react: ending QEMU")
      } else if rung == ShutdownLadder.Rung.terminate.name {
        output.remark("QEMU did not end by its monitor: sent SIGTERM")
      }
    case .failed(let message, let advice, let status):
      detachTerminal()
      output.remark(([message] + [advice].compactMap(\.self)).joined(separator: "\n"))
      return ExitStatus(rawValue: status)
    case .ended(let outcome, let removed):
      ended = (outcome, removed)
      if console == nil { return finish() }
      let inputs = self.inputs
      _ = loop.schedule(at: .now.advanced(by: Self.drainTime)) { inputs.send(.drained) }
    }
    return nil
  }

  func supervisorLost() -> ExitStatus? {
    guard ended == nil else { return nil }
    detachTerminal()
    output.remark(
      "the supervisor of \(name) was killed; the VM may still run\n"
        + "'qvm status \(name)' tells, 'qvm stop \(name)' ends it")
    return .failed
  }

  func finish() -> ExitStatus {
    guard let ended else { return .failed }
    output.flush(within: Self.drainTime)
    detachTerminal()
    output.remark(ended.outcome.sentence(name.text, disk: ended.removed ? nil : files.disk))
    switch ended.outcome.result {
    case .clean: return .done
    case .forced where wasForced: return .interrupted
    default: return .failed
    }
  }

  // MARK: - Signals

  func handle(_ signal: Signal) async {
    switch signal {
    case .terminalStop: suspend()
    case .quit:
      interrupts = max(interrupts, 1)
      await interrupt()
    // The kernel and the shell both tell of a terminal that is closed.
    case .hangUp: await interrupt(upTo: 1)
    case .terminate:
      // After a first request for the end there may be only seconds left.
      await interrupt(upTo: 2)
    default: await interrupt()
    }
  }

  /// One step harder than before: the power button, then `quit`, then SIGKILL.
  func interrupt(upTo most: Int = 3) async {
    if interrupts >= most { return }
    interrupts = min(interrupts + 1, max(most, interrupts))
    let rung: ShutdownLadder.Rung
    switch interrupts {
    case 1:
      rung = .powerButton
      output.remark("shutting \(name) down… (Ctrl-C again to force)")
    case 2:
      rung = .quit
      wasForced = true
      output.remark("forcing \(name) to end… (Ctrl-C again to kill QEMU)")
    default:
      rung = .kill
      wasForced = true
      output.remark("killing QEMU")
    }
    await supervisor.send(ControlRequest.stop(rung, timeout: nil).json)
  }
}

extension Optional {
  fileprivate func asyncFlatMap<Result>(
    _ transform: (Wrapped) async -> Result?
  ) async -> Result? {
    if let self { await transform(self) } else { nil }
  }
}
