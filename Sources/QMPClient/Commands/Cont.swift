/// Resumes a stopped guest; has no effect on a running one.
///
/// Also starts a guest whose QEMU was started with `-S`.
///
/// On the wire: `cont`. Since QEMU 0.14; source: `qapi/misc.json`.
public struct Cont: QMPCommand {
  /// The name on the wire.
  public static let name = "cont"

  /// Creates the command.
  public init() {}
}
