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
  /// Tells a supervisor that its sockets are gone. One that doesn't know of it ignores it, as every
  /// process does that has said nothing of SIGWINCH.
  package static let renewSockets = Signal(rawValue: SIGWINCH)

  /// What ends, stops or continues a command in the foreground of a shell.
  package static let ofSessions: [Signal] = [
    .interrupt, .terminate, .hangUp, .quit, .terminalStop, .continued,
  ]

  /// Whether it asks for the end of what is being done, rather than for a pause or its end.
  package var asksForEnd: Bool { ![.terminalStop, .continued, .renewSockets].contains(self) }

  /// How a shell says that a command ended by it.
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

  /// Delivers signals to a closure instead of to the process, from now to its end; echoes of what was
  /// delivered (``SignalEchoes``) are left out.
  ///
  /// Call it before any thread is started: threads inherit that the signals are blocked, and one
  /// thread waits for them, where any code may run, unlike in a signal handler. Signals that the
  /// process was started with ignored, as `nohup` does, stay ignored.
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
    // Without a thread that takes them they end the process, which is better than to be deaf.
    if !started { pthread_sigmask(SIG_UNBLOCK, &set, nil) }
  }

  /// Some systems drop what is ignored by default even while it is blocked, unless it has a handler.
  private static func keepFromBeingDropped(_ number: Int32) { signal(number) { _ in } }

  #if canImport(Darwin)
    /// Waits for a signal. Nothing tells where one came from on macOS, so none is the terminal's.
    private static func next(of set: inout sigset_t) -> (Signal, fromTerminal: Bool)? {
      var number: Int32 = 0
      return sigwait(&set, &number) == 0 ? (Signal(rawValue: number), false) : nil
    }
  #else
    /// Waits for a signal, and tells whether the kernel sent it, as it does for a key.
    private static func next(of set: inout sigset_t) -> (Signal, fromTerminal: Bool)? {
      // SI_KERNEL, which not every libc shows to Swift; `kill` has SI_USER, 0.
      let byKernel: Int32 = 0x80
      var information = siginfo_t()
      let number = sigwaitinfo(&set, &information)
      return number > 0 ? (Signal(rawValue: number), information.si_code == byKernel) : nil
    }
  #endif

  private static let hasInterrupted = Atomic(false)

  /// Ends this process by SIGINT, if it was interrupted by one: a shell that sees a command die of it
  /// ends its loop or script, too, rather than going on with the next command. Returns otherwise.
  package static func dieIfInterrupted() {
    guard hasInterrupted.load(ordering: .relaxed) else { return }
    signal(SIGINT, SIG_DFL)
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, SIGINT)
    pthread_sigmask(SIG_UNBLOCK, &set, nil)
    pthread_kill(pthread_self(), SIGINT)
  }

  /// Whether the process ignores it, as `nohup` has its programs do.
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

  /// Sets what qvm relies on, whatever the caller has left. Call it before any thread is started.
  ///
  /// Writing to a closed pipe, and beyond the size that a file may have, is an error of the write
  /// instead of the end of the process. Children wait to be reaped: where their end is ignored, as
  /// some daemons have it, nobody learns how they ended.
  package static func prepareProcess() {
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
    signal(SIGCHLD, SIG_DFL)
  }

  /// What programs expect when they start.
  static func restoreForExecution() {
    signal(SIGPIPE, SIG_DFL)
    signal(SIGXFSZ, SIG_DFL)
  }

  /// Stops this process as Ctrl-Z does; returns when it is continued, and at once where no shell
  /// could continue it.
  package static func stopThisProcess() {
    // SIGTSTP rather than SIGSTOP: the kernel ignores it where the process would sleep for ever,
    // such as in a terminal window of its own. To this thread, so that it doesn't run on for a
    // moment while another one takes the signal.
    var set = sigset_t()
    var before = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, SIGTSTP)
    pthread_kill(pthread_self(), SIGTSTP)
    pthread_sigmask(SIG_UNBLOCK, &set, &before)
    pthread_sigmask(SIG_SETMASK, &before, nil)
  }
}
