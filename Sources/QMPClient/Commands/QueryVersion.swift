/// Asks for QEMU's version; the greeting has the same.
///
/// On the wire: `query-version`. Since QEMU 0.14; source: `qapi/control.json`.
public struct QueryVersion: QMPCommand {
  /// The name on the wire.
  public static let name = "query-version"
  /// The answer.
  public typealias Reply = QEMUVersion

  /// Creates the command.
  public init() {}
}
