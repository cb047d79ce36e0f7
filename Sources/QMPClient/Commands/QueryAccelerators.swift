/// Asks which accelerator the guest runs with.
///
/// On the wire: `query-accelerators`, answered by `{"enabled": "tcg", "present": ["tcg", "kvm"]}`.
/// Since QEMU 10.2, which replaces `query-kvm` with it; source: `qapi/accelerator.json`.
public struct QueryAccelerators: QMPCommand {
  /// The name on the wire.
  public static let name = "query-accelerators"

  /// The first version of QEMU that has it.
  public static let since = QEMUVersion(major: 10, minor: 2, micro: 0)

  /// The answer.
  public struct Reply: QMPReply, Hashable {
    /// The accelerator that the guest runs with, such as `kvm`.
    public let enabled: String
    /// Those that this QEMU was built with.
    public let present: [String]

    /// Reads the `return` member.
    public init(_ json: JSONValue) throws(QMPReplyError) {
      enabled = try json.requiredString("enabled")
      guard let names = json["present"]?.array else { throw QMPReplyError("present") }
      present = names.compactMap(\.string)
    }
  }

  /// Creates the command.
  public init() {}
}
