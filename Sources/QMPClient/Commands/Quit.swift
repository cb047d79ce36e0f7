/// Ends QEMU at once, with its disk images flushed; the guest isn't asked.
///
/// QEMU may hang up before its reply arrives: `disconnected` is a success here.
///
/// On the wire: `quit`. Since QEMU 0.14; source: `qapi/control.json`.
public struct Quit: QMPCommand {
  /// The name on the wire.
  public static let name = "quit"

  /// Creates the command.
  public init() {}
}
