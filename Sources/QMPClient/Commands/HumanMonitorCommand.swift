/// Executes a command line of the human monitor (HMP), if QMP has no such command.
///
/// Errors come as text in the reply, not as ``QMPError/refused(command:errorClass:description:)``,
/// and the text changes between versions.
///
/// On the wire: `human-monitor-command`, answered by a string. Since QEMU 0.14; source:
/// `qapi/misc.json`.
public struct HumanMonitorCommand: QMPCommand {
  /// The name on the wire.
  public static let name = "human-monitor-command"

  /// The answer.
  public struct Reply: QMPReply, Hashable {
    /// What the monitor printed, with CR LF between lines.
    public let output: String

    /// Reads the `return` member.
    public init(_ json: JSONValue) throws(QMPReplyError) {
      guard let output = json.string else { throw QMPReplyError("") }
      self.output = output
    }
  }

  /// The line, such as `info usernet`.
  public var commandLine: String

  /// Creates the command.
  public init(_ commandLine: String) { self.commandLine = commandLine }

  /// The arguments on the wire.
  public var arguments: JSONObject { ["command-line": .string(commandLine)] }
}
