internal import QMPClient

/// The guest's console on this terminal: attached, suspended (by Ctrl-Z or in a shell's background),
/// detached. Shows what the guest writes, and passes on what the user types.
final class ConsoleView {
  enum Input: Sendable {
    case console(QMPInput)
    case typed([UInt8]?)
    /// Standard output takes more.
    case writable
    /// The console may have taken what was typed.
    case roomToType
    /// The console's log has grown, while the log is shown.
    case logGrew
    /// Standard output has no reader any more.
    case readerGone
    /// This process may have the terminal again.
    case lookForTerminal
  }

  /// What the session must act on.
  enum Event {
    /// QEMU has closed the console.
    case closed
    /// The user has pressed the keys that detach.
    case detach
  }

  private let vm: SupervisedVM
  private let loop: EventLoop
  private let send: @Sendable (Input) -> Void
  private let terminal = Terminal(0)
  private var output = ConsoleOutput()
  private var keys: EscapeKeys
  private var keyboard: KeyboardInput
  private var console: SocketTransport?
  /// How much of `console.log` was shown.
  private var place: ConsoleLogPlace
  /// The console's log, while it is shown instead of the console.
  private var log: (watch: FileWatch, token: EventLoop.Token)?
  private var writing: EventLoop.Token?
  /// The next look at whether this process has the terminal again.
  private var foreground: EventLoop.Token?
  private var isAttached = false

  private var files: InstanceFiles { vm.files }

  /// Creates a view that is not attached yet.
  ///
  /// - Parameters:
  ///   - vm: The VM.
  ///   - escape: The key that begins qvm's own keys.
  ///   - loop: The loop that the view runs on.
  ///   - send: Called on the loop with each input, which belongs into ``handle(_:)``.
  init(
    _ vm: SupervisedVM, escape: EscapeKey, on loop: EventLoop,
    send: @escaping @Sendable (Input) -> Void
  ) {
    self.vm = vm
    self.loop = loop
    self.send = send
    keys = EscapeKeys(escape)
    place = ConsoleLogPlace(vm.files.console)
    keyboard = KeyboardInput(on: loop) {
      send(.typed($0))
    } roomToType: {
      send(.roomToType)
    }
  }

  func handle(_ input: Input) -> Event? {
    switch input {
    case .console(.bytes(let bytes)):
      // The log is shown instead, and QEMU writes these bytes into it too.
      if log != nil { break }
      place.note(bytes)
      output.show(bytes)
    case .console(.closed), .console(.failed):
      console = nil
      return .closed
    case .writable:
      writing = nil
      output.flush()
    case .roomToType: keyboard.resume(console)
    case .logGrew: showLog()
    case .lookForTerminal:
      foreground = nil
      reattachTerminal()
    case .readerGone: output.readerIsGone()
    case .typed(let bytes): return typed(bytes)
    }
    return nil
  }

  // MARK: - Output

  /// Why standard output takes no more bytes; nil while it does.
  var failure: OutputError? { output.failure }

  /// Shows a remark of qvm's on standard error.
  func remark(_ text: String) { output.remark(text) }

  /// Shows the last lines that the current boot wrote before this process attached.
  func showTail() {
    let begin = files.bootRecord?.consoleOffset ?? 0
    place.move(to: output.showTail(of: files.console, from: begin))
  }

  /// Writes pending bytes as soon as standard output takes them.
  func awaitOutput() {
    guard output.isPending, writing == nil else { return }
    let send = self.send
    writing = loop.watch(1, for: .write, once: true) { send(.writable) }
  }

  /// Reports the exit of the process that reads standard output, until the token is cancelled.
  func watchReader() -> EventLoop.Token {
    let send = self.send
    return ConsoleOutput.watchReader(on: loop) { send(.readerGone) }
  }

  /// Shows what is left after the end of the VM, within a time, and gives the terminal up.
  func finish(within time: Duration) {
    if log != nil { showLog() }
    output.flush(within: time)
    detachTerminal()
  }

  /// Releases everything that the view holds.
  func close() {
    stopFollowingLog()
    detachTerminal()
  }

  // MARK: - The terminal

  /// The keys that the user needs to know, as parts of a sentence.
  var hints: [String] {
    (keys.shutsDown ? ["Ctrl-C shuts it down"] : [])
      + (keys.key.title.map { ["\($0) ? for keys"] } ?? [])
  }

  /// Whether the console is connected.
  var isOpen: Bool { console != nil }

  /// Takes the terminal again, for example after `fg`.
  func reattachTerminal() {
    if console != nil { attachTerminal() }
  }

  /// Connects to the console of the VM, and shows it on the terminal.
  func attachConsole() {
    do throws(QMPError) {
      let console = try SocketTransport(path: vm.runtime.console)
      let send = self.send
      console.start(on: loop) { send(.console($0)) }
      self.console = console
    } catch {
      // If the VM has ended meanwhile, the supervisor's report follows at once.
      if FileLock.isHeld(files.vmLock) {
        output.remark("cannot attach the console: \(error); its output is in \(files.console)")
      }
    }
    attachTerminal()
  }

  private func attachTerminal() {
    // In the background of a shell another process has the terminal. Touching it would stop this one.
    if let terminal, !terminal.isForeground {
      if isAttached {
        output.leave()
        // Reading its keys would stop this process as well.
        keyboard.stop()
      }
      isAttached = false
      awaitForeground()
      return
    }
    terminal?.passKeys(escape: keys.key)
    output.enter(passesKeys: terminal != nil)
    isAttached = true
    keyboard.read()
  }

  /// Looks again later: no event tells a background job that `fg` has given it the terminal.
  private func awaitForeground() {
    guard foreground == nil else { return }
    let send = self.send
    foreground = loop.schedule(at: .now.advanced(by: .milliseconds(500))) {
      send(.lookForTerminal)
    }
  }

  /// Gives the terminal up. The console stays connected.
  func detachTerminal() {
    if let foreground { loop.cancel(foreground) }
    foreground = nil
    keyboard.stop()
    guard isAttached else { return }
    isAttached = false
    output.leave()
    terminal?.restore()
  }

  private func typed(_ bytes: [UInt8]?) -> Event? {
    guard let bytes else {
      keyboard.end()
      return nil
    }
    guard terminal != nil else {
      console?.send(bytes)
      keyboard.pauseIfBehind(console)
      return nil
    }
    output.noteTyped(bytes)
    for action in keys.read(bytes) {
      switch action {
      case .send(let bytes): console?.send(bytes)
      case .help: output.remark(keys.help)
      case .detach: return .detach
      }
    }
    return nil
  }

  // MARK: - Ctrl-Z, and what the guest writes meanwhile

  /// Ctrl-Z: this process stops, and the VM keeps running. `fg` shows what the guest wrote meanwhile.
  func suspend() {
    guard console != nil else {
      detachTerminal()
      return Signal.stopThisProcess()
    }
    if log == nil { place.findEndOfShown() }
    // A console that is attached and not read would stall the guest.
    console?.close()
    console = nil
    detachTerminal()
    Signal.stopThisProcess()
    followLog()
    if let boot = files.bootRecord { SocketRenewal.ensureConsole(boot, files) }
    attachConsole()
  }

  /// Shows the console's log from now on, instead of the console. The guest writes while the console is
  /// attached again, and only the place in the log separates what was shown from what wasn't.
  private func followLog() {
    if log == nil, let watch = try? FileWatch(files.console) {
      let send = self.send
      let token = loop.watch(watch.descriptor.number, for: .read) {
        watch.clear()
        send(.logGrew)
      }
      log = (watch, token)
    }
    showLog(isPast: true)
  }

  private func stopFollowingLog() {
    if let log { loop.cancel(log.token) }
    log = nil
  }

  /// Shows what is new in the log; if that is very much, only its end.
  ///
  /// - Parameter isPast: Whether the guest wrote it while this was stopped.
  private func showLog(isPast: Bool = false) {
    let (leftOut, bytes) = place.takeMissed()
    if leftOut > 0 { output.remark("skipped \(leftOut) bytes; they are in \(files.console)") }
    output.show(bytes, isPast: isPast)
  }
}
