/// Makes QEMU exit at once and flush its disk images. The guest isn't asked.
///
/// QEMU may hang up before its reply arrives, so `disconnected` is a success here.
///
/// On the wire: `quit`. Since QEMU 0.14; source: `qapi/control.json`.
public struct Quit: QMPCommand {
  /// The name on the wire.
  public static let name = "quit"

  /// Creates the command.
  public init() {}
}
