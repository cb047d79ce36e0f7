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
    /// The console's log has grown, where that is what is shown.
    case logGrew
    /// Nobody reads standard output any more.
    case readerGone
    /// The terminal may be this process's again.
    case lookForTerminal
    case ready(WaitResult?)
  }

  /// The most that is shown of what was missed, in bytes.
  static let mostMissed = 1 << 20
  /// So many bytes tell a place in the log from others.
  static let tailSize = 48
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
  /// Reads the keys, after the one that the user chose.
  package var keys = EscapeKeys()
  var console: SocketTransport?
  /// How much of `console.log` has been shown, in bytes.
  var position: Int
  /// The last bytes that were shown of it.
  var tail: [UInt8] = []
  var typing: EventLoop.Token?
  var writing: EventLoop.Token?
  /// The next look whether the terminal is this process's again.
  var foreground: EventLoop.Token?
  var isAttached = false
  /// The console's log where that is what is shown, rather than what comes by the console.
  var log: (watch: FileWatch, token: EventLoop.Token)?
  var insistence = SignalEscalation()
  var endsForOutput = false
  var isRunning = false
  let notifier: ServiceNotifier?
  let store: InstanceStore
  /// The boot that was on record before this one.
  let previousBoot: String?
  /// Whether the VM was running before.
  let isAttaching: Bool
  var readiness: Task<Void, Never>?
  let isTerminalOutput = Terminal.isTerminal(1)
  var ended: (outcome: Outcome, removed: Bool)?

  package init(_ launched: SupervisedVM, notifier: ServiceNotifier? = nil, loop: EventLoop) {
    name = launched.name
    files = launched.files
    runtime = launched.runtime
    self.loop = loop
    self.notifier = notifier
    store = launched.store
    previousBoot = launched.previousBoot
    isAttaching = launched.isAttached
    position = Files.information(files.console)?.size ?? 0
    let inputs = self.inputs
    supervisor = LineSocket(
      launched.supervisor, received: launched.received, on: loop
    ) { inputs.send(.supervisor($0)) }
  }

  /// Shows the console until the VM has ended or the user detaches; the exit status of the command.
  package func run(signals: Mailbox<Signal>) async -> ExitStatus {
    let inputs = self.inputs
    await supervisor.start()
    let forwarding = Task(executorPreference: loop) {
      while let signal = await signals.next() { inputs.send(.signal(signal)) }
    }
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

  /// Goes on with what standard output has not taken yet; where it takes no more, ends the VM.
  func awaitOutput() async {
    // Not before the guest is known to run: until then it can't be asked to power off.
    if let failure = output.failure, isRunning, !endsForOutput, insistence.step == 0,
      !outlivesTerminal
    {
      // Nobody sees the console any more: that is a reason to end, not to stall the guest. It
      // doesn't count as a Ctrl-C, which may have ended the reader and be on its way here too.
      endsForOutput = true
      output.remark(failure.message)
      await stop(.powerButton)
    }
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
      // The log tells where these belong, and they are on their way into it.
      if log != nil { break }
      position += bytes.count
      tail = (tail + bytes.suffix(Self.tailSize)).suffix(Self.tailSize)
      output.show(bytes)
    case .console(.closed), .console(.failed):
      console = nil
      if ended != nil { return finish() }
    case .writable:
      writing = nil
      output.flush()
    case .roomToType: resumeTyping()
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
}

extension Optional {
  fileprivate func asyncFlatMap<Result>(
    _ transform: (Wrapped) async -> Result?
  ) async -> Result? {
    if let self { await transform(self) } else { nil }
  }
}
