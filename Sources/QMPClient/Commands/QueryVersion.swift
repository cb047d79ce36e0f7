/// Asks for QEMU's version; the greeting has the same.
///
/// On the wire: `query-version`. Since QEMU 0.14; source: `qapi/control.json`.
public struct QueryVersion: QMPCommand {
  public static let name = "query-version"
  public typealias Reply = QEMUVersion

  /// Creates the command.
  public init() {}
}
