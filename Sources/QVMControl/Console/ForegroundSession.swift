package import QMPClient

/// `qvm run` in the foreground: the guest's console on this terminal, Ctrl-C for its shutdown.
///
/// The VM is the supervisor's; this is its client and holds its lease: when this process goes
/// without having detached, the supervisor shuts the guest down.
package final class ForegroundSession {
  private enum Input: Sendable {
    case supervisor(LineSocket.Input)
    case console(QMPInput)
    case typed([UInt8]?)
    case signal(Signal)
    case drained
  }

  /// DECAWM of the VT100.
  private static let wrapLines = Array("\u{1B}[?7h".utf8)
  /// How long the last bytes of the console may take after QEMU has ended.
  private static let drainTime = Duration.seconds(1)

  private let name: InstanceName
  private let files: InstanceFiles
  private let runtime: RuntimeFolder
  private let loop: EventLoop
  private let inputs = Mailbox<Input>()
  private let supervisor: LineSocket
  private let terminal = Terminal(0)
  private var output = ConsoleOutput()
  private var keys = EscapeKeys()
  private var console: SocketTransport?
  /// How much of `console.log` has been shown, in bytes.
  private var position: Int
  private var typing: EventLoop.Token?
  private var isAttached = false
  private var interrupts = 0
  private var wasForced = false
  private var ended: (outcome: Outcome, removed: Bool)?

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
    }
    return .failed
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
    case .drained: return finish()
    case .typed(let bytes): return await typed(bytes)
    case .signal(let signal): await handle(signal)
    }
    return nil
  }

  // MARK: - What the supervisor says

  private func handle(_ event: ControlEvent) async -> ExitStatus? {
    switch event {
    case .notice(let text): output.remark(text)
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

  private func supervisorLost() -> ExitStatus? {
    guard ended == nil else { return nil }
    detachTerminal()
    output.remark(
      "the supervisor of \(name) was killed; the VM may still run\n"
        + "'qvm status \(name)' tells, 'qvm stop \(name)' ends it")
    return .failed
  }

  private func finish() -> ExitStatus {
    guard let ended else { return .failed }
    detachTerminal()
    output.remark(ended.outcome.sentence(name.text, disk: ended.removed ? nil : files.disk))
    switch ended.outcome.result {
    case .clean: return .done
    case .forced where wasForced: return .interrupted
    default: return .failed
    }
  }

  // MARK: - Signals

  private func handle(_ signal: Signal) async {
    switch signal {
    case .terminalStop: suspend()
    case .quit:
      interrupts = max(interrupts, 1)
      await interrupt()
    case .terminate, .hangUp:
      // After a first request for the end there may be only seconds left.
      await interrupt(upTo: 2)
    default: await interrupt()
    }
  }

  /// One step harder than before: the power button, then `quit`, then SIGKILL.
  private func interrupt(upTo most: Int = 3) async {
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

  // MARK: - Console

  private func attachConsole() {
    do throws(QMPError) {
      let console = try SocketTransport(path: runtime.console)
      let inputs = self.inputs
      console.start(on: loop) { inputs.send(.console($0)) }
      self.console = console
    } catch {
      output.remark("no console: \(error); it is in \(files.console)")
    }
    attachTerminal()
  }

  private func attachTerminal() {
    // In the background of a shell the terminal is somebody else's; touching it would stop us.
    if let terminal, !terminal.isForeground { return }
    terminal?.passKeys()
    isAttached = true
    guard typing == nil else { return }
    let inputs = self.inputs
    typing = loop.watch(0, for: .read) { inputs.send(.typed(Files.readSome(0))) }
  }

  private func detachTerminal() {
    if let typing { loop.cancel(typing) }
    typing = nil
    guard let terminal, isAttached else { return }
    isAttached = false
    terminal.restore()
    // SeaBIOS switches the wrapping of long lines off, and nothing switches it on again.
    output.show(Self.wrapLines)
  }

  private func typed(_ bytes: [UInt8]?) async -> ExitStatus? {
    guard let bytes else {
      // The end of the input is not the end of the guest: it may be run from a script.
      if let typing { loop.cancel(typing) }
      typing = nil
      return nil
    }
    guard terminal != nil else {
      console?.send(bytes)
      return nil
    }
    for action in keys.read(bytes) {
      switch action {
      case .send(let bytes): console?.send(bytes)
      case .help: output.remark(EscapeKeys.help)
      case .detach:
        await supervisor.send(ControlRequest.detach.json)
        detachTerminal()
        output.remark("detached; \(name) runs on. 'qvm stop \(name)' ends it")
        return .done
      }
    }
    return nil
  }

  /// Ctrl-Z: this process stops, the VM runs on; `fg` shows what it wrote meanwhile.
  private func suspend() {
    // A console that is attached and not read would hold up the guest.
    console?.close()
    detachTerminal()
    Signal.stopThisProcess()
    guard console != nil else { return }
    attachConsole()
    let missed = (try? Files.read(files.console, from: position)) ?? []
    position += missed.count
    output.show(missed)
  }
}

extension Optional {
  fileprivate func asyncFlatMap<Result>(
    _ transform: (Wrapped) async -> Result?
  ) async -> Result? {
    if let self { await transform(self) } else { nil }
  }
}
