#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// The environment variables that a service manager sets for a service's main process:
/// `systemd.exec(5)`, `sd_listen_fds(3)`, `sd_watchdog_enabled(3)`.
///
/// A child that inherits them would take them for its own: a QEMU with `LISTEN_FDS` looks for
/// sockets that it doesn't have. ``NotifySocket`` removes `NOTIFY_SOCKET`.
package enum ServiceVariables {
  static let names = [
    "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES",
    "LISTEN_PIDFDID", "FDSTORE", "MAINPID", "MANAGERPID", "MANAGERPIDFDID", "SYSTEMD_EXEC_PID",
    "INVOCATION_ID", "JOURNAL_STREAM", "MEMORY_PRESSURE_WATCH", "MEMORY_PRESSURE_WRITE",
    "REMOTE_ADDR", "REMOTE_PORT",
  ]

  /// Removes them from the environment, so that children don't inherit them. Call it before any
  /// thread is started.
  package static func remove() {
    for name in names { unsetenv(name) }
  }
}
