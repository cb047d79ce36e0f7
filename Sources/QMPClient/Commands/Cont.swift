/// Lets a stopped guest run; without effect on one that runs.
///
/// Also the start of a guest whose QEMU was started with `-S`.
///
/// On the wire: `cont`. Since QEMU 0.14; source: `qapi/misc.json`.
public struct Cont: QMPCommand {
  /// The name on the wire.
  public static let name = "cont"

  /// Creates the command.
  public init() {}
}
