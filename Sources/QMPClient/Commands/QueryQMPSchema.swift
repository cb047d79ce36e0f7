/// Asks for the schema of this QEMU's QMP: about 207,000 bytes in one line, 20 ms.
///
/// On the wire: `query-qmp-schema`, answered by one object an entity. Since QEMU 2.5; source:
/// `qapi/introspect.json`.
public struct QueryQMPSchema: QMPCommand {
  /// The name on the wire.
  public static let name = "query-qmp-schema"
  /// The entities, unchanged.
  public typealias Reply = JSONValue

  /// Creates the command.
  public init() {}
}
