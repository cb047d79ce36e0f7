package import QMPClient

/// `qvm console`: the console of a running VM on this terminal, until the user detaches.
///
/// Every key goes to the guest, even Ctrl-C. Only a key after the escape key is for qvm.
package final class ConsoleSession {
  private enum Input: Sendable {
    case console(QMPInput)
    case typed([UInt8]?)
    case signal(Signal)
    case writable
    case roomToType
    case readerGone
  }

  private let name: InstanceName
  private let files: InstanceFiles
  private let loop: EventLoop
  private let inputs = Mailbox<Input>()
  private let console: SocketTransport
  private let terminal = Terminal(0)
  private var output = ConsoleOutput()
  private var keys: EscapeKeys
  private var awaitsOutput = false
  private var keyboard: KeyboardInput

  /// Attaches to the console of a VM.
  ///
  /// - Throws: `noSuch`, ``ConsoleError``.
  package init(
    _ name: InstanceName, in store: InstanceStore, escape: EscapeKey = .usual, on loop: EventLoop
  ) throws {
    self.name = name
    keys = EscapeKeys(escape)
    self.loop = loop
    let inputs = self.inputs
    keyboard = KeyboardInput(on: loop) {
      inputs.send(.typed($0))
    } roomToType: {
      inputs.send(.roomToType)
    }
    files = try store.existing(name)
    let runtime = try Self.runtime(of: name, files)
    do throws(SystemError) {
      console = SocketTransport(try runtime.connect(runtime.console))
    } catch {
      throw ConsoleError.unreachable(name: name.text, why: error.reason)
    }
  }

  /// The folder with the sockets of a VM, once no client is attached to its console.
  ///
  /// - Throws: ``ConsoleError``; ``SSHError/starting(name:)`` if it has none yet.
  static func runtime(of name: InstanceName, _ files: InstanceFiles) throws -> RuntimeFolder {
    if LockOwner(reading: files.supervisorLock)?.isBoot == true {
      throw SSHError.starting(name: name.text)
    }
    guard FileLock.isHeld(files.vmLock), let boot = try BootRecord.read(files.boot) else {
      throw ConsoleError.notRunning(name: name.text)
    }
    let runtime = boot.runtime(files)
    let deadline = SuspendingClock.now.advanced(by: leaving)
    while isBusy(boot, files) {
      guard .now < deadline else { throw ConsoleError.busy(name: name.text) }
      _ = SocketCalls.wait(-1, for: [], until: .now.advanced(by: .milliseconds(20)))
    }
    SocketRenewal.ensureConsole(boot, files)
    return runtime
  }

  /// How long QEMU may take to notice that the last client has detached.
  private static let leaving = Duration.milliseconds(500)

  private static func isBusy(_ boot: BootRecord, _ files: InstanceFiles) -> Bool {
    guard let client = SocketRenewal.connect(to: boot, files) else { return false }
    client.send(.console)
    let answer = try? client.line(until: .now.advanced(by: .seconds(1)))
    return answer?["console"]?.string == "busy"
  }

  /// Shows the last lines so far, then everything new. Returns the exit status of the command.
  package func run(signals: Mailbox<Signal>) async throws -> ExitStatus {
    let inputs = self.inputs
    let begin = files.bootRecord?.consoleOffset ?? 0
    output.showTail(of: files.console, from: begin)
    let hint = keys.key.title.map { "\($0) d detaches, \($0) ? lists the keys" }
    output.remark("attached to \(name); \(hint ?? "no key detaches")")
    if let login = (try? InstanceRecord(reading: files.record))?.target.operatingSystem.login {
      output.remark("at its login prompt, '\(login.user)' logs in")
    }
    console.start(on: loop) { inputs.send(.console($0)) }
    attachTerminal()
    keyboard.read()
    let forwarding = signals.forward(to: inputs, on: loop) { .signal($0) }
    let reader = ConsoleOutput.watchReader(on: loop) { inputs.send(.readerGone) }
    defer {
      forwarding.cancel()
      keyboard.stop()
      loop.cancel(reader)
      console.close()
      detachTerminal()
    }
    while let input = await inputs.next() {
      switch input {
      case .console(.bytes(let bytes)): output.show(bytes)
      case .console:
        detachTerminal()
        output.remark("the console of \(name) was closed")
        return .done
      case .signal(.terminalStop):
        detachTerminal()
        Signal.stopThisProcess()
        attachTerminal()
      case .signal(.continued): attachTerminal()
      case .signal: return .interrupted
      case .readerGone: output.readerIsGone()
      case .writable:
        awaitsOutput = false
        output.flush()
      case .typed(nil): keyboard.end()
      case .typed(let bytes?):
        if typed(bytes) { return .done }
        keyboard.pauseIfBehind(console)
      case .roomToType: keyboard.resume(console)
      }
      if let failure = output.failure { throw failure }
      if output.isPending, !awaitsOutput {
        awaitsOutput = true
        _ = loop.watch(1, for: .write, once: true) { inputs.send(.writable) }
      }
    }
    return .failed
  }

  /// Passes every key to the guest, unless another process has the terminal at the moment.
  private func attachTerminal() {
    guard terminal?.isForeground != false else { return }
    terminal?.passKeys(signals: false)
    output.enter(passesKeys: terminal != nil)
  }

  private func detachTerminal() {
    output.leave()
    terminal?.restore()
  }

  /// Handles typed keys. True if the user detached.
  private func typed(_ bytes: [UInt8]) -> Bool {
    guard terminal != nil else {
      console.send(bytes)
      return false
    }
    output.noteTyped(bytes)
    for action in keys.read(bytes) {
      switch action {
      case .send(let bytes): console.send(bytes)
      case .help: output.remark(keys.attachedHelp)
      case .detach:
        detachTerminal()
        output.remark("detached; \(name) keeps running. 'qvm console \(name)' returns to it")
        return true
      }
    }
    return false
  }
}
