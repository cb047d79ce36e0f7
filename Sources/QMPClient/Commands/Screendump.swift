/// Writes a picture of the guest's screen to a file on the host.
///
/// On the wire: `screendump`. Since QEMU 0.14; `format` since 7.1; source: `qapi/ui.json`.
public struct Screendump: QMPCommand {
  /// The name on the wire.
  public static let name = "screendump"

  /// The format of the file.
  public enum Format: String, Sendable {
    /// Portable pixmap, QEMU's default.
    case ppm
    /// Portable network graphics, if QEMU was built with it.
    case png
  }

  /// The file. QEMU itself writes it, with its own permissions.
  public var filename: String
  /// The display device; the first one if nil.
  public var device: String?
  /// The head of the device, from 0; only with a device.
  public var head: Int?
  /// The format; QEMU's default if nil.
  public var format: Format?

  /// Creates the command.
  public init(filename: String, device: String? = nil, head: Int? = nil, format: Format? = nil) {
    self.filename = filename
    self.device = device
    self.head = head
    self.format = format
  }

  /// The arguments on the wire.
  public var arguments: JSONObject {
    var arguments: JSONObject = ["filename": .string(filename)]
    arguments["device"] = device.map(JSONValue.string)
    arguments["head"] = head.map { .integer(Int64($0)) }
    arguments["format"] = format.map { .string($0.rawValue) }
    return arguments
  }
}
