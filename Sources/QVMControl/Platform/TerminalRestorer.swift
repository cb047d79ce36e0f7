#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif
internal import Synchronization

/// Restores a terminal's settings, and the screen modes that a guest has switched, if this process
/// crashes or an unhandled signal ends it.
///
/// The signal handler uses only atomic loads and calls that POSIX allows there. After SIGKILL only
/// a shell can restore its settings.
enum TerminalRestorer {
  /// Signals that end a process by default. A Swift trap is SIGILL or SIGTRAP.
  private static let fatal = [
    SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS, SIGXCPU, SIGXFSZ, SIGUSR1, SIGUSR2,
    SIGALRM, SIGVTALRM, SIGPROF,
  ]

  /// The address of the settings to restore; 0 if there are none.
  private static let settings = Atomic<UInt>(0)
  private static let terminal = Atomic<Int32>(0)
  /// Never freed: a handler may run at any time.
  private static let memory = UInt(bitPattern: malloc(MemoryLayout<termios>.size))
  /// The bytes to write to standard output, and their number; 0 if there are none.
  private static let farewell = UInt(bitPattern: malloc(longestFarewell))
  private static let farewellLength = Atomic<Int>(0)
  private static let longestFarewell = 1024
  /// The previous action of each signal, by its number.
  private static let actions = UInt(bitPattern: malloc(64 * MemoryLayout<sigaction>.stride))
  private static let isInstalled = Atomic(false)

  /// Restores these settings in a crash from now on.
  static func arm(_ descriptor: Int32, _ original: termios) {
    guard let place = UnsafeMutablePointer<termios>(bitPattern: memory) else { return }
    if !isInstalled.exchange(true, ordering: .relaxed) { install() }
    settings.store(0, ordering: .releasing)
    place.initialize(to: original)
    terminal.store(descriptor, ordering: .relaxed)
    settings.store(memory, ordering: .releasing)
  }

  /// Restores no settings from now on.
  static func disarm() { settings.store(0, ordering: .releasing) }

  /// Writes these bytes to the terminal at standard output in a crash from now on.
  static func armScreen(_ bytes: [UInt8]) {
    guard let place = UnsafeMutableRawPointer(bitPattern: farewell) else { return }
    if !isInstalled.exchange(true, ordering: .relaxed) { install() }
    farewellLength.store(0, ordering: .releasing)
    // A part would be worse than nothing. No terminal has that many modes.
    guard bytes.count <= longestFarewell else { return }
    bytes.withUnsafeBytes { source in
      if let start = source.baseAddress { place.copyMemory(from: start, byteCount: source.count) }
    }
    farewellLength.store(bytes.count, ordering: .releasing)
  }

  /// Writes nothing in a crash from now on.
  static func disarmScreen() { farewellLength.store(0, ordering: .releasing) }

  private static func install() {
    // A stack of its own, because the thread's stack may have overflowed.
    var stack = stack_t()
    stack.ss_size = 1 << 16
    stack.ss_sp = malloc(1 << 16)
    if stack.ss_sp != nil { sigaltstack(&stack, nil) }
    guard let previous = previousActions else { return }
    for number in fatal {
      var action = sigaction()
      guard sigaction(number, nil, &action) == 0, !isIgnoring(action) else { continue }
      (previous + Int(number)).initialize(to: action)
      setHandler(&action) { number in
        TerminalRestorer.restore()
        // Then the previous action runs, such as the runtime's backtrace, with this thread as it
        // was at the fault.
        if let previous = TerminalRestorer.previousActions {
          sigaction(number, previous + Int(number), nil)
        }
        raise(number)
      }
      action.sa_flags = Int32(SA_ONSTACK)
      sigaction(number, &action, nil)
    }
  }

  private static var previousActions: UnsafeMutablePointer<sigaction>? {
    UnsafeMutablePointer(bitPattern: actions)
  }

  private static func restore() {
    restoreScreen()
    let address = settings.load(ordering: .acquiring)
    let descriptor = terminal.load(ordering: .relaxed)
    // A background process must not touch the terminal: that would stop it.
    guard let original = UnsafePointer<termios>(bitPattern: address),
      tcgetpgrp(descriptor) == getpgrp()
    else { return }
    tcsetattr(descriptor, TCSANOW, original)
  }

  private static func restoreScreen() {
    let length = farewellLength.load(ordering: .acquiring)
    guard length > 0, let bytes = UnsafeRawPointer(bitPattern: farewell),
      tcgetpgrp(STDOUT_FILENO) == getpgrp()
    else { return }
    // A terminal that accepts no output must not block this process.
    var entry = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
    if poll(&entry, 1, 0) == 1 { _ = write(STDOUT_FILENO, bytes, length) }
  }

  private static var ignoring: Int { unsafeBitCast(SIG_IGN, to: Int.self) }

  #if canImport(Darwin)
    private static func setHandler(
      _ action: inout sigaction, _ handler: @escaping @convention(c) (Int32) -> Void
    ) {
      action.__sigaction_u.__sa_handler = handler
    }

    private static func isIgnoring(_ action: sigaction) -> Bool {
      unsafeBitCast(action.__sigaction_u.__sa_handler, to: Int.self) == ignoring
    }
  #else
    private static func setHandler(
      _ action: inout sigaction, _ handler: @escaping @convention(c) (Int32) -> Void
    ) {
      action.__sigaction_handler.sa_handler = handler
    }

    private static func isIgnoring(_ action: sigaction) -> Bool {
      unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == ignoring
    }
  #endif
}
