/// Stops the guest's CPUs; without effect on a stopped one.
///
/// On the wire: `stop`. Since QEMU 0.14; source: `qapi/misc.json`.
public struct Stop: QMPCommand {
  /// The name on the wire.
  public static let name = "stop"

  /// Creates the command.
  public init() {}
}
