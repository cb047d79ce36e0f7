/// Asks for the virtual CPUs and the host threads that run them, without stopping the CPUs.
///
/// On the wire: `query-cpus-fast`, answered by one object a CPU. Since QEMU 2.12; source:
/// `qapi/machine.json`.
public struct QueryCPUsFast: QMPCommand {
  /// The name on the wire.
  public static let name = "query-cpus-fast"

  /// The answer.
  public struct Reply: QMPReply, Hashable {
    /// The CPUs.
    public let cpus: [VirtualCPU]

    /// Reads the `return` member.
    public init(_ json: JSONValue) throws(QMPReplyError) {
      cpus = try json.requiredElements { (element) throws(QMPReplyError) in
        try VirtualCPU(element)
      }
    }
  }

  /// Creates the command.
  public init() {}
}

/// A virtual CPU: `CpuInfoFast` of `qapi/machine.json`.
public struct VirtualCPU: QMPReply, Hashable {
  /// Its number, from 0.
  public let index: Int
  /// Its place in QEMU's object tree.
  public let qomPath: String
  /// The id of the host thread that runs it.
  public let threadID: Int
  /// The target, such as `x86_64` or `aarch64`.
  public let target: String

  /// Reads one element of the reply.
  public init(_ json: JSONValue) throws(QMPReplyError) {
    index = try json.requiredInt("cpu-index")
    qomPath = try json.requiredString("qom-path")
    threadID = try json.requiredInt("thread-id")
    target = try json.requiredString("target")
  }
}
