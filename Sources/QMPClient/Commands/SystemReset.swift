/// Resets the guest like a reset button. Data that the guest hasn't written yet is lost.
///
/// On the wire: `system_reset`. Since QEMU 0.14; source: `qapi/machine.json`.
public struct SystemReset: QMPCommand {
  /// The name on the wire.
  public static let name = "system_reset"

  /// Creates the command.
  public init() {}
}
