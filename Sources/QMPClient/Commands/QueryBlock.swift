/// Asks for the block devices and what is in them.
///
/// On the wire: `query-block`, answered by one object a device. Since QEMU 0.14; source:
/// `qapi/block-core.json`.
public struct QueryBlock: QMPCommand {
  /// The name on the wire.
  public static let name = "query-block"

  /// The answer.
  public struct Reply: QMPReply, Hashable {
    /// The devices.
    public let devices: [BlockDevice]

    /// Reads the `return` member.
    public init(_ json: JSONValue) throws(QMPReplyError) {
      devices = try json.requiredElements { (element) throws(QMPReplyError) in
        try BlockDevice(element)
      }
    }
  }

  /// Creates the command.
  public init() {}
}

/// A block device of the virtual machine: `BlockInfo` of `qapi/block-core.json`.
public struct BlockDevice: QMPReply, Hashable {
  /// The name of the drive, such as `drive0`; empty where only the device has one.
  public let device: String
  /// The device's place in QEMU's object tree, or its id.
  public let qdev: String?
  /// Whether the medium can be taken out.
  public let isRemovable: Bool
  /// Whether the guest has locked the medium in.
  public let isLocked: Bool
  /// How input and output go; nil where the device doesn't tell.
  public let ioStatus: IOStatus?
  /// The medium; nil where there is none.
  public let inserted: Medium?

  /// How input and output go: an open set, `BlockDeviceIoStatus`.
  public struct IOStatus: RawRepresentable, Sendable, Hashable {
    /// QEMU's word.
    public let rawValue: String
    /// Creates a status from QEMU's word, known or not.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// No error.
    public static let ok = IOStatus(rawValue: "ok")
    /// The last error was not for lack of room.
    public static let failed = IOStatus(rawValue: "failed")
    /// The last error was for lack of room on the host.
    public static let noSpace = IOStatus(rawValue: "nospace")
  }

  /// What is in a block device: `BlockDeviceInfo` and its `ImageInfo`.
  public struct Medium: QMPReply, Hashable {
    /// The image's file.
    public let file: String
    /// The name of the block node; QEMU's own invention where nobody gave one.
    public let nodeName: String?
    /// The block driver, such as `qcow2`.
    public let driver: String
    /// Whether the image can't be written.
    public let isReadOnly: Bool
    /// The size that the guest sees, in bytes.
    public let virtualSize: Int?
    /// The room that the image takes on the host, in bytes.
    public let actualSize: Int?
    /// The image below an overlay.
    public let backingFile: String?

    /// Reads the `inserted` member of a device.
    public init(_ json: JSONValue) throws(QMPReplyError) {
      file = try json.requiredString("file")
      nodeName = json["node-name"]?.string
      driver = try json.requiredString("drv")
      isReadOnly = try json.requiredBool("ro")
      virtualSize = json["image"]?["virtual-size"]?.int
      actualSize = json["image"]?["actual-size"]?.int
      backingFile = json["backing_file"]?.string
    }
  }

  /// Reads one element of the reply.
  public init(_ json: JSONValue) throws(QMPReplyError) {
    device = try json.requiredString("device")
    qdev = json["qdev"]?.string
    isRemovable = try json.requiredBool("removable")
    isLocked = try json.requiredBool("locked")
    ioStatus = json["io-status"]?.string.map(IOStatus.init)
    if let medium = json["inserted"] { inserted = try Medium(medium) } else { inserted = nil }
  }
}
