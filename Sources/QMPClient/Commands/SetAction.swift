/// Sets what QEMU does when the guest reboots, shuts down or panics, and when a watchdog fires.
///
/// On the wire: `set-action`. An argument that is nil changes nothing. Since QEMU 6.0; source:
/// `qapi/run-state.json`.
public struct SetAction: QMPCommand {
  /// The name on the wire.
  public static let name = "set-action"

  /// What QEMU does when the guest reboots: `RebootAction`.
  public enum OnReboot: String, Sendable {
    /// The guest is reset.
    case reset
    /// The guest is shut down; the event `SHUTDOWN` says `guest-reset`.
    case shutdown
  }

  /// What QEMU does when the guest shuts down: `ShutdownAction`.
  public enum OnShutdown: String, Sendable {
    /// QEMU exits.
    case poweroff
    /// QEMU stays, with the guest stopped in the run state `shutdown`.
    case pause
  }

  /// What QEMU does when the guest reports a panic: `PanicAction`.
  public enum OnPanic: String, Sendable {
    /// The guest is stopped in the run state `guest-panicked`.
    case pause
    /// The guest is shut down, as `OnShutdown` says.
    case shutdown
    /// QEMU exits with a status other than 0. Since QEMU 7.1.
    case exitFailure = "exit-failure"
    /// The guest continues: `none` on the wire.
    case goOn = "none"
  }

  /// What QEMU does when the guest reboots.
  public var reboot: OnReboot?
  /// What QEMU does when the guest shuts down.
  public var shutdown: OnShutdown?
  /// What QEMU does when the guest reports a panic.
  public var panic: OnPanic?
  /// What QEMU does when a watchdog fires.
  public var watchdog: WatchdogAction?

  /// Creates the command.
  public init(
    reboot: OnReboot? = nil, shutdown: OnShutdown? = nil, panic: OnPanic? = nil,
    watchdog: WatchdogAction? = nil
  ) {
    self.reboot = reboot
    self.shutdown = shutdown
    self.panic = panic
    self.watchdog = watchdog
  }

  /// The arguments on the wire.
  public var arguments: JSONObject {
    var arguments = JSONObject()
    arguments["reboot"] = reboot.map { .string($0.rawValue) }
    arguments["shutdown"] = shutdown.map { .string($0.rawValue) }
    arguments["panic"] = panic.map { .string($0.rawValue) }
    arguments["watchdog"] = watchdog.map { .string($0.rawValue) }
    return arguments
  }
}
