/// Sets what QEMU does when a watchdog fires. ``SetAction`` can do the same since QEMU 6.0.
///
/// On the wire: `watchdog-set-action`. Since QEMU 2.11; source: `qapi/run-state.json`.
public struct WatchdogSetAction: QMPCommand {
  /// The name on the wire.
  public static let name = "watchdog-set-action"

  /// What QEMU does.
  public var action: WatchdogAction

  /// Creates the command.
  public init(action: WatchdogAction) { self.action = action }

  /// The arguments on the wire.
  public var arguments: JSONObject { ["action": .string(action.rawValue)] }
}

/// What QEMU does when a watchdog fires: `WatchdogAction` of `qapi/run-state.json`.
public enum WatchdogAction: String, Sendable {
  /// The guest is reset.
  case reset
  /// The power button is pressed.
  case shutdown
  /// QEMU exits.
  case poweroff
  /// The guest is stopped in the run state `watchdog`.
  case pause
  /// The guest is stopped in the run state `debug`.
  case debug
  /// Nothing: `none` on the wire.
  case nothing = "none"
  /// The guest gets a non-maskable interrupt. Since QEMU 2.4.
  case injectNMI = "inject-nmi"
}
