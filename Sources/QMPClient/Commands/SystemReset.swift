/// Resets the guest, as a reset button does: its files may be lost.
///
/// On the wire: `system_reset`. Since QEMU 0.14; source: `qapi/machine.json`.
public struct SystemReset: QMPCommand {
  /// The name on the wire.
  public static let name = "system_reset"

  /// Creates the command.
  public init() {}
}
