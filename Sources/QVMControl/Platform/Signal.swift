#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif
internal import QMPClient
internal import Synchronization

/// A signal of the operating system.
package struct Signal: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
  package let rawValue: Int32

  package init(rawValue: Int32) { self.rawValue = rawValue }

  package static let interrupt = Signal(rawValue: SIGINT)
  package static let terminate = Signal(rawValue: SIGTERM)
  package static let hangUp = Signal(rawValue: SIGHUP)
  package static let quit = Signal(rawValue: SIGQUIT)
  package static let kill = Signal(rawValue: SIGKILL)
  package static let terminalStop = Signal(rawValue: SIGTSTP)
  package static let continued = Signal(rawValue: SIGCONT)
  /// Tells a supervisor that its sockets are gone. An older supervisor ignores it, because the
  /// default action of SIGWINCH is to ignore it.
  package static let renewSockets = Signal(rawValue: SIGWINCH)

  /// The signals that end, stop or continue a foreground command of a shell.
  package static let ofSessions: [Signal] = [
    .interrupt, .terminate, .hangUp, .quit, .terminalStop, .continued,
  ]

  /// Whether it asks the process to end, and not to pause or to continue.
  package var asksForEnd: Bool { ![.terminalStop, .continued, .renewSockets].contains(self) }

  /// The exit status by which a shell reports a command that this signal ended.
  package var exitStatus: ExitStatus { ExitStatus(rawValue: 128 + rawValue) }

  package var description: String {
    switch self {
    case .interrupt: "SIGINT"
    case .terminate: "SIGTERM"
    case .hangUp: "SIGHUP"
    case .quit: "SIGQUIT"
    case .kill: "SIGKILL"
    default: "signal \(rawValue)"
    }
  }

  /// Delivers signals to a closure from now on, without their default action. Echoes of a delivered
  /// signal (``SignalEchoes``) are dropped.
  ///
  /// Call it before any thread is started, because threads inherit the signal mask. One thread
  /// waits for the signals; unlike a signal handler, it may run any code. Signals that were ignored
  /// when the process was started, as by `nohup`, stay ignored.
  package static func handle(
    _ signals: [Signal], _ body: @escaping @Sendable (Signal) -> Void
  ) {
    var set = sigset_t()
    sigemptyset(&set)
    var count = 0
    for signal in signals where !signal.isIgnored {
      if signal == .renewSockets { keepFromBeingDropped(signal.rawValue) }
      sigaddset(&set, signal.rawValue)
      count += 1
    }
    if count == 0 { return }
    pthread_sigmask(SIG_BLOCK, &set, nil)
    let waited = set
    let started = startThread {
      var set = waited
      var echoes = SignalEchoes()
      while true {
        guard let (signal, fromTerminal) = next(of: &set) else { continue }
        if signal == .interrupt { hasInterrupted.store(true, ordering: .relaxed) }
        if echoes.isWish(signal, fromTerminal: fromTerminal, at: .now) { body(signal) }
      }
    }
    // Without the thread, let the signals end the process; otherwise they would have no effect.
    if !started { pthread_sigmask(SIG_UNBLOCK, &set, nil) }
  }

  /// Some systems drop a signal whose default is to be ignored, even while it is blocked, unless it
  /// has a handler.
  private static func keepFromBeingDropped(_ number: Int32) { signal(number) { _ in } }

  #if canImport(Darwin)
    /// Waits for a signal. macOS doesn't report the sender, so no signal counts as the terminal's.
    private static func next(of set: inout sigset_t) -> (Signal, fromTerminal: Bool)? {
      var number: Int32 = 0
      return sigwait(&set, &number) == 0 ? (Signal(rawValue: number), false) : nil
    }
  #else
    /// Waits for a signal. Returns also whether the kernel sent it, as it does for a key.
    private static func next(of set: inout sigset_t) -> (Signal, fromTerminal: Bool)? {
      // SI_KERNEL, which not every libc exposes to Swift; `kill` has SI_USER, 0.
      let byKernel: Int32 = 0x80
      var information = siginfo_t()
      let number = sigwaitinfo(&set, &information)
      return number > 0 ? (Signal(rawValue: number), information.si_code == byKernel) : nil
    }
  #endif

  private static let hasInterrupted = Atomic(false)

  /// Ends this process by SIGINT if it got one; returns otherwise. A shell whose command dies of
  /// SIGINT also ends its loop or script, and doesn't run the next command.
  package static func dieIfInterrupted() {
    guard hasInterrupted.load(ordering: .relaxed) else { return }
    signal(SIGINT, SIG_DFL)
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, SIGINT)
    pthread_sigmask(SIG_UNBLOCK, &set, nil)
    pthread_kill(pthread_self(), SIGINT)
  }

  /// Whether the process ignores it, as under `nohup`.
  package var isIgnored: Bool {
    var action = sigaction()
    guard sigaction(rawValue, nil, &action) == 0 else { return false }
    #if canImport(Darwin)
      let handler = action.__sigaction_u.__sa_handler
    #else
      let handler = action.__sigaction_handler.sa_handler
    #endif
    return unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
  }

  /// Sets the signal actions that qvm relies on. Call it before any thread is started.
  ///
  /// A write to a closed pipe, or beyond the file size limit, fails instead of killing the process.
  /// SIGCHLD gets its default action: if a parent ignored it, as some daemons do, the exit status
  /// of children would be lost.
  package static func prepareProcess() {
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
    signal(SIGCHLD, SIG_DFL)
  }

  /// Sets the signal actions that programs expect when they start.
  static func restoreForExecution() {
    signal(SIGPIPE, SIG_DFL)
    signal(SIGXFSZ, SIG_DFL)
    // It may have been taken by `handle`.
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, SIGINT)
    pthread_sigmask(SIG_UNBLOCK, &set, nil)
  }

  /// Stops this process as Ctrl-Z does. Returns when it is continued; at once if no shell could
  /// continue it.
  package static func stopThisProcess() {
    // SIGTSTP instead of SIGSTOP: the kernel ignores it if no process could continue this one, as
    // in a terminal window of its own. Sent to this thread, so that it doesn't run on while another
    // thread takes the signal.
    var set = sigset_t()
    var before = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, SIGTSTP)
    pthread_kill(pthread_self(), SIGTSTP)
    pthread_sigmask(SIG_UNBLOCK, &set, &before)
    pthread_sigmask(SIG_SETMASK, &before, nil)
  }
}
