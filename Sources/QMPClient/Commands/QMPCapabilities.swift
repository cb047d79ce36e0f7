/// Ends the negotiation at the start of each connection. ``QMPClient`` sends it by itself.
///
/// On the wire: `qmp_capabilities`. Since QEMU 0.13; source: `qapi/control.json`.
public struct QMPCapabilities: QMPCommand {
  /// The name on the wire.
  public static let name = "qmp_capabilities"

  /// The capabilities to enable, such as `oob`; QEMU must have offered them.
  public var enable: [String]

  /// Creates the command.
  public init(enable: [String] = []) { self.enable = enable }

  /// The arguments on the wire.
  public var arguments: JSONObject {
    enable.isEmpty ? [:] : ["enable": .array(enable.map(JSONValue.string))]
  }
}
