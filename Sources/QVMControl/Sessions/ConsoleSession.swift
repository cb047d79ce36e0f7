package import QMPClient

/// `qvm console`: the console of a VM that runs, on this terminal, until the user detaches.
///
/// Every key goes to the guest, Ctrl-C too; only what follows the escape key is for qvm.
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
  private var typing: EventLoop.Token?
  private var hasTypedAll = false

  /// Attaches to the console of a VM.
  ///
  /// - Throws: `noSuch`, ``ConsoleError``.
  package init(
    _ name: InstanceName, in store: InstanceStore, escape: EscapeKey = .usual, on loop: EventLoop
  ) throws {
    self.name = name
    keys = EscapeKeys(escape)
    self.loop = loop
    files = try store.existing(name)
    let runtime = try Self.runtime(of: name, files)
    do throws(SystemError) {
      console = SocketTransport(try runtime.connect(runtime.console))
    } catch {
      throw ConsoleError.unreachable(name: name.text, why: error.reason)
    }
  }

  /// Where the sockets of a VM are whose console nobody is attached to.
  ///
  /// - Throws: ``ConsoleError``; ``SSHError/starting(name:)`` where it has none yet.
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

  /// So long QEMU may take to see that the last one who was attached has gone.
  private static let leaving = Duration.milliseconds(500)

  private static func isBusy(_ boot: BootRecord, _ files: InstanceFiles) -> Bool {
    guard let probe = SocketRenewal.reach(boot, files) else { return false }
    probe.send(.console)
    let answer = try? probe.line(until: .now.advanced(by: .seconds(1)))
    return answer?["console"]?.string == "busy"
  }

  /// Shows the end of what was written so far and then what comes; the exit status of the command.
  package func run(signals: Mailbox<Signal>) async throws -> ExitStatus {
    let inputs = self.inputs
    output.showTail(of: files.console)
    let hint = keys.key.title.map { "\($0) d detaches, \($0) ? lists the keys" }
    output.remark("attached to \(name); \(hint ?? "no key detaches")")
    console.start(on: loop) { inputs.send(.console($0)) }
    attachTerminal()
    watchTyping()
    let forwarding = Task(executorPreference: loop) {
      while let signal = await signals.next() { inputs.send(.signal(signal)) }
    }
    let reader = ConsoleOutput.watchReader(on: loop) { inputs.send(.readerGone) }
    defer {
      forwarding.cancel()
      stopTyping()
      loop.cancel(reader)
      console.close()
      detachTerminal()
    }
    while let input = await inputs.next() {
      switch input {
      case .console(.bytes(let bytes)): output.show(bytes)
      case .console:
        detachTerminal()
        output.remark("the console of \(name) is gone")
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
      case .typed(nil):
        hasTypedAll = true
        stopTyping()
      case .typed(let bytes?):
        if typed(bytes) { return .done }
        if console.isBehind { awaitRoom() }
      case .roomToType: console.isBehind ? awaitRoom() : watchTyping()
      }
      if let failure = output.failure { throw failure }
      if output.isPending, !awaitsOutput {
        awaitsOutput = true
        _ = loop.watch(1, for: .write, once: true) { inputs.send(.writable) }
      }
    }
    return .failed
  }

  /// Every key is the guest's, unless the terminal is somebody else's at the moment.
  private func attachTerminal() {
    guard terminal?.isForeground != false else { return }
    terminal?.passKeys(signals: false)
    output.enter(passesKeys: terminal != nil)
  }

  private func detachTerminal() {
    output.leave()
    terminal?.restore()
  }

  private func watchTyping() {
    guard typing == nil, !hasTypedAll else { return }
    let inputs = self.inputs
    typing = loop.watch(0, for: .read) { inputs.send(.typed(Files.readSome(0))) }
  }

  private func stopTyping() {
    if let typing { loop.cancel(typing) }
    typing = nil
  }

  /// A pipe may hold far more than the guest reads in a while: then it has to wait.
  private func awaitRoom() {
    stopTyping()
    let inputs = self.inputs
    _ = loop.schedule(at: .now.advanced(by: .milliseconds(50))) { inputs.send(.roomToType) }
  }

  /// Handles what was typed; whether the user detached.
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
        output.remark("detached; \(name) runs on")
        return true
      }
    }
    return false
  }
}

/// A console that can't be attached to.
package enum ConsoleError: UserFacingError, Hashable {
  case notRunning(name: String)
  case busy(name: String)
  case unreachable(name: String, why: String)

  package var message: String {
    switch self {
    case .notRunning(let name): "'\(name)' is not running"
    case .busy(let name): "somebody is attached to the console of '\(name)' already"
    case .unreachable(let name, let why): "cannot attach to the console of '\(name)': \(why)"
    }
  }

  package var advice: String? {
    switch self {
    case .notRunning(let name):
      "Boot it with 'qvm start \(name)'; 'qvm logs \(name)' shows the past."
    case .busy(let name):
      "Detach there (by default with Ctrl-] d); 'qvm logs -f \(name)' shows it meanwhile."
    case .unreachable(let name, _): "'qvm logs -f \(name)' shows what the guest writes."
    }
  }

  package var exitStatus: ExitStatus {
    if case .notRunning = self { .notRunning } else { .failed }
  }
}
