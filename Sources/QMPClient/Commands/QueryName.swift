/// Asks for the virtual machine's name, as set by `-name`.
///
/// On the wire: `query-name`, answered by `{"name": "demo"}`, or `{}` without a name. Since QEMU
/// 0.14; source: `qapi/misc.json`.
public struct QueryName: QMPCommand {
  /// The name on the wire.
  public static let name = "query-name"

  /// The answer.
  public struct Reply: QMPReply, Hashable {
    /// The name of the virtual machine, if it has one.
    public let name: String?

    /// Reads the `return` member.
    public init(_ json: JSONValue) { name = json["name"]?.string }
  }

  /// Creates the command.
  public init() {}
}
