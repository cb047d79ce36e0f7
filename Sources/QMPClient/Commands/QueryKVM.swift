/// Asks whether the guest runs under KVM.
///
/// On the wire: `query-kvm`, answered by `{"enabled": false, "present": true}`. Since QEMU 0.14;
/// source: `qapi/misc.json`, later `qapi/machine.json`.
public struct QueryKVM: QMPCommand {
  /// The name on the wire.
  public static let name = "query-kvm"

  /// The answer.
  public struct Reply: QMPReply, Hashable {
    /// Whether the guest runs under KVM.
    public let enabled: Bool
    /// Whether this QEMU was built with KVM.
    public let present: Bool

    /// Reads the `return` member.
    public init(_ json: JSONValue) throws(QMPReplyError) {
      enabled = try json.requiredBool("enabled")
      present = try json.requiredBool("present")
    }
  }

  /// Creates the command.
  public init() {}
}
