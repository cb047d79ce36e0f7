/// Wakes a guest that sleeps (run state `suspended`).
///
/// On the wire: `system_wakeup`, refused with `GenericError` if the guest doesn't sleep. Since QEMU
/// 1.1; source: `qapi/machine.json`.
public struct SystemWakeup: QMPCommand {
  /// The name on the wire.
  public static let name = "system_wakeup"

  /// Creates the command.
  public init() {}
}
