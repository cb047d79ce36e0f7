/// Stops the guest's CPUs; has no effect on a stopped guest.
///
/// On the wire: `stop`. Since QEMU 0.14; source: `qapi/misc.json`.
public struct Stop: QMPCommand {
  /// The name on the wire.
  public static let name = "stop"

  /// Creates the command.
  public init() {}
}
