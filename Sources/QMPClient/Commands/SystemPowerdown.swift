/// Presses the guest's power button.
///
/// The reply and the event `POWERDOWN` say only that the button was pressed. A guest that isn't up
/// yet, or doesn't listen, ignores it. If the guest powers off, the event `SHUTDOWN` with
/// `guest-shutdown` follows.
///
/// On the wire: `system_powerdown`. Since QEMU 0.14; source: `qapi/machine.json`.
public struct SystemPowerdown: QMPCommand {
  /// The name on the wire.
  public static let name = "system_powerdown"

  /// Creates the command.
  public init() {}
}
