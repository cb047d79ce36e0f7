#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// What a service manager tells the main process of a service by its environment, of sockets, of a
/// watchdog and of itself: `systemd.exec(5)`, `sd_listen_fds(3)`, `sd_watchdog_enabled(3)`.
///
/// Whoever else finds it takes it for their own: a QEMU with `LISTEN_FDS` looks for sockets that
/// nobody gave it. `NOTIFY_SOCKET` is taken by ``NotifySocket`` where it is used.
package enum ServiceVariables {
  static let names = [
    "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES",
    "LISTEN_PIDFDID", "FDSTORE", "MAINPID", "MANAGERPID", "MANAGERPIDFDID", "SYSTEMD_EXEC_PID",
    "INVOCATION_ID", "JOURNAL_STREAM", "MEMORY_PRESSURE_WATCH", "MEMORY_PRESSURE_WRITE",
    "REMOTE_ADDR", "REMOTE_PORT",
  ]

  /// Takes them out of the environment, where children would find them. Call it before any thread is
  /// started.
  package static func remove() {
    for name in names { unsetenv(name) }
  }
}
