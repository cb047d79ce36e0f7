/// Asks whether the guest is running, and in which run state.
///
/// On the wire: `query-status`, answered by `{"running": true, "status": "running"}`; QEMU before
/// 9.0 adds `singlestep`. Since QEMU 0.14; source: `qapi/run-state.json`.
public struct QueryStatus: QMPCommand {
  /// The name on the wire.
  public static let name = "query-status"

  /// The answer.
  public struct Reply: QMPReply, Hashable {
    /// Whether virtual CPUs are executing.
    public let running: Bool
    /// The run state.
    public let status: RunState

    /// Reads the `return` member.
    public init(_ json: JSONValue) throws(QMPReplyError) {
      running = try json.requiredBool("running")
      status = RunState(rawValue: try json.requiredString("status"))
    }
  }

  /// Creates the command.
  public init() {}
}
