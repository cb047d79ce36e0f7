#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// Core dumps of crashed processes. A core holds all of a process's memory. QEMU's core holds the
/// guest's memory with its secrets.
package enum CoreDump {
  #if canImport(Darwin) || canImport(Musl)
    private static let sizeOfCore = RLIMIT_CORE
  #else
    private static let sizeOfCore = Int32(RLIMIT_CORE.rawValue)
  #endif

  /// The variable that allows cores if its value is 1.
  package static let variable = "QVM_QEMU_CORE"

  /// Disables cores of this process and its children, unless the user wants them.
  ///
  /// Lowers only the soft limit, so that it can be raised again to debug a running QEMU.
  package static func forbidUnlessWanted() {
    var limit = rlimit()
    guard Host.environment(variable) != "1", getrlimit(sizeOfCore, &limit) == 0 else { return }
    limit.rlim_cur = 0
    _ = setrlimit(sizeOfCore, &limit)
  }

  /// Whether the limit of this process and its children disables cores.
  package static var isForbidden: Bool {
    var limit = rlimit()
    return getrlimit(sizeOfCore, &limit) == 0 && limit.rlim_cur == 0
  }

  /// Whether a signal dumps core by default: `signal(7)`.
  package static func belongs(to signal: Int32) -> Bool {
    [SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS, SIGXCPU, SIGXFSZ]
      .contains(signal)
  }
}
