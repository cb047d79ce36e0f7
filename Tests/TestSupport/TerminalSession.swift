package import Foundation
import Synchronization

/// A program on a pseudo-terminal of its own, driven as a person would: what it shows is read, keys
/// are typed.
package final class TerminalSession: Sendable {
  private let master: Int32
  private let slave: Int32
  package let pid: Int32
  /// The settings as they were before the program had seen the terminal.
  package let original: String
  private let shown = Mutex<[UInt8]>([])
  private let exit: Mutex<Int32?> = Mutex(nil)

  /// Starts a program with the terminal as its input, output and error, and as its controlling
  /// terminal, of this size if one is given.
  package init(
    _ program: URL, _ words: [String], in sandbox: Sandbox, environment: [String: String] = [:],
    size: (rows: UInt16, columns: UInt16)? = nil
  ) throws {
    // By hand rather than by openpty(3): no child of another test may inherit the terminal.
    // TIOCSPTLCK and TIOCGPTN of <asm/ioctls.h>, which the module map hides.
    let master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
    var unlocked: Int32 = 0
    var number: UInt32 = 0
    guard master >= 0, ioctl(master, 0x4004_5431, &unlocked) == 0,
      ioctl(master, 0x8004_5430, &number) == 0
    else { throw Sandbox.Failure("no pseudo-terminal") }
    let path = "/dev/pts/\(number)"
    // The other side is kept open, so that the settings can be read when the program is gone.
    let slave = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC)
    (self.master, self.slave) = (master, slave)
    original = Self.settings(of: slave)
    if let size { Self.resize(master, size.rows, size.columns) }

    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    // Opened by the leader of a new session, it becomes the controlling terminal.
    posix_spawn_file_actions_addopen(&actions, 0, path, O_RDWR, 0)
    posix_spawn_file_actions_adddup2(&actions, 0, 1)
    posix_spawn_file_actions_adddup2(&actions, 0, 2)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    let newSession: Int16 = 0x80  // POSIX_SPAWN_SETSID
    // The threads that run tests block signals; a program expects them as a shell leaves them.
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    posix_spawnattr_setflags(&attributes, newSession | Int16(POSIX_SPAWN_SETSIGMASK))
    let settings = sandbox.environment.merging(environment) { $1 }
      .merging(["TERM": "dumb", "PS1": "$ "]) { first, _ in first }
    var argv = ([program.path] + words).map { strdup($0) } + [nil]
    var envp = settings.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for pointer in argv + envp { free(pointer) } }
    var pid: pid_t = 0
    let result = posix_spawn(&pid, program.path, &actions, &attributes, &argv, &envp)
    guard result == 0 else { throw Sandbox.Failure("cannot start \(program.path)") }
    self.pid = pid
    let child = pid
    let reader = Thread { [self] in readUntilEnd() }
    reader.start()
    let waiter = Thread { [self] in
      var status: Int32 = 0
      while waitpid(child, &status, 0) < 0, errno == EINTR {}
      let signal = status & 0x7F
      exit.withLock { $0 = signal == 0 ? status >> 8 & 0xFF : 128 + signal }
    }
    waiter.start()
  }

  deinit { hangUp() }

  /// Reads without blocking: a read that waits would keep the terminal open when it is closed.
  private func readUntilEnd() {
    var chunk = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = isHungUp.withLock { isHungUp -> Int in
        if isHungUp { return -1 }
        var entry = pollfd(fd: master, events: Int16(POLLIN), revents: 0)
        let ready = poll(&entry, 1, 10)
        if ready < 0, errno == EINTR { return 0 }
        return ready == 0 ? 0 : max(read(master, &chunk, chunk.count), ready < 0 ? -1 : 0)
      }
      if count < 0 || exit.withLock({ $0 }) != nil && count == 0 { return }
      if count > 0 { shown.withLock { $0.append(contentsOf: chunk[..<count]) } }
    }
  }

  /// All that was shown so far.
  package var text: String { String(decoding: shown.withLock { $0 }, as: UTF8.self) }

  /// Changes its size, as a window does. The processes in its foreground get SIGWINCH.
  package func resize(rows: UInt16, columns: UInt16) { Self.resize(master, rows, columns) }

  private static func resize(_ master: Int32, _ rows: UInt16, _ columns: UInt16) {
    var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
    _ = ioctl(master, UInt(TIOCSWINSZ), &size)
  }

  /// Types.
  package func type(_ text: String) {
    let bytes = Array(text.utf8)
    _ = write(master, bytes, bytes.count)
  }

  /// The settings of the terminal and the flags of its descriptor, to compare.
  package var settings: String { Self.settings(of: slave) }

  private static func settings(of slave: Int32) -> String {
    var settings = termios()
    tcgetattr(slave, &settings)
    let control = withUnsafeBytes(of: settings.c_cc) { Array($0) }
    return """
      \(settings.c_iflag) \(settings.c_oflag) \(settings.c_cflag) \(settings.c_lflag) \
      \(control) \(fcntl(slave, F_GETFL) & O_NONBLOCK)
      """
  }

  /// Waits until a text has been shown after what earlier calls have found.
  package func expect(_ wanted: String, within limit: Duration = .seconds(20)) async throws {
    let deadline = ContinuousClock.now.advanced(by: limit)
    while ContinuousClock.now < deadline {
      let found = position.withLock { position in
        let bytes = shown.withLock { $0 }
        let rest = String(decoding: bytes[min(position, bytes.count)...], as: UTF8.self)
        guard let range = rest.range(of: wanted) else { return false }
        position += rest[..<range.upperBound].utf8.count
        return true
      }
      if found { return }
      try await Task.sleep(for: .milliseconds(10))
    }
    throw Sandbox.Failure("'\(wanted)' was not shown within \(limit); shown: \(text)")
  }

  private let position = Mutex(0)

  /// Closes the terminal, as its window does.
  package func hangUp() {
    let isFirst = isHungUp.withLock { isHungUp in
      defer { isHungUp = true }
      return !isHungUp
    }
    if isFirst {
      close(slave)
      close(master)
    }
  }

  private let isHungUp = Mutex(false)

  /// Waits for the end of the program; its exit status, 128 and more for a signal.
  package func end(within limit: Duration = .seconds(30)) async throws -> Int32 {
    let deadline = ContinuousClock.now.advanced(by: limit)
    while ContinuousClock.now < deadline {
      if let status = exit.withLock({ $0 }) { return status }
      try await Task.sleep(for: .milliseconds(10))
    }
    kill(pid, SIGKILL)
    throw Sandbox.Failure("the program did not end within \(limit); shown: \(text)")
  }
}
