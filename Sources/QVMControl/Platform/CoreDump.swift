#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// The core that a crashed process leaves: a file with all of its memory, QEMU's with the guest's
/// and the secrets in there.
package enum CoreDump {
  #if canImport(Darwin) || canImport(Musl)
    private static let sizeOfCore = RLIMIT_CORE
  #else
    private static let sizeOfCore = Int32(RLIMIT_CORE.rawValue)
  #endif

  /// The variable that keeps cores, by the value 1, as far as the system does.
  package static let variable = "QVM_QEMU_CORE"

  /// Has neither this process nor those that it starts leave one, unless the user wants them.
  ///
  /// Only the soft limit is lowered: whoever looks into a QEMU that runs can still raise it.
  package static func forbidUnlessWanted() {
    var limit = rlimit()
    guard Host.environment(variable) != "1", getrlimit(sizeOfCore, &limit) == 0 else { return }
    limit.rlim_cur = 0
    _ = setrlimit(sizeOfCore, &limit)
  }

  /// Whether the limit of this process, and of those that it started, is such that none is left.
  package static var isForbidden: Bool {
    var limit = rlimit()
    return getrlimit(sizeOfCore, &limit) == 0 && limit.rlim_cur == 0
  }

  /// Whether a process that a signal ends leaves one where it may: `signal(7)`.
  package static func belongs(to signal: Int32) -> Bool {
    [SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS, SIGXCPU, SIGXFSZ]
      .contains(signal)
  }
}
