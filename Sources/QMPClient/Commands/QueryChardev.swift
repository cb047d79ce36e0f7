/// Asks for the character devices: consoles, monitors, and their connections.
///
/// On the wire: `query-chardev`, answered by one object a device. Since QEMU 0.14; source:
/// `qapi/char.json`.
public struct QueryChardev: QMPCommand {
  /// The name on the wire.
  public static let name = "query-chardev"

  /// The answer.
  public struct Reply: QMPReply, Hashable {
    /// The devices.
    public let devices: [CharacterDevice]

    /// Reads the `return` member.
    public init(_ json: JSONValue) throws(QMPReplyError) {
      devices = try json.requiredElements { (element) throws(QMPReplyError) in
        try CharacterDevice(element)
      }
    }
  }

  /// Creates the command.
  public init() {}
}

/// A character device: `ChardevInfo` of `qapi/char.json`.
public struct CharacterDevice: QMPReply, Hashable {
  /// Its id.
  public let label: String
  /// Its back end in QEMU's notation, such as `unix:/run/vm/console.sock,server=on`.
  public let filename: String
  /// Whether the front end, such as the guest's serial port, has opened it.
  public let isFrontendOpen: Bool

  /// Reads one element of the reply.
  public init(_ json: JSONValue) throws(QMPReplyError) {
    label = try json.requiredString("label")
    filename = try json.requiredString("filename")
    isFrontendOpen = try json.requiredBool("frontend-open")
  }
}
