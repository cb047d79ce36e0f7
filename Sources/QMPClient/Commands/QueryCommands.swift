/// Asks for the names of all commands that this QEMU has.
///
/// On the wire: `query-commands`, answered by `[{"name": "quit"}, …]`. Since QEMU 0.14; source:
/// `qapi/control.json`.
public struct QueryCommands: QMPCommand {
  /// The name on the wire.
  public static let name = "query-commands"

  /// The answer.
  public struct Reply: QMPReply, Hashable {
    /// The names, in no particular order.
    public let names: [String]

    /// Reads the `return` member.
    public init(_ json: JSONValue) throws(QMPReplyError) {
      names = try json.requiredElements { (element) throws(QMPReplyError) in
        try element.requiredString("name")
      }
    }
  }

  /// Creates the command.
  public init() {}
}
