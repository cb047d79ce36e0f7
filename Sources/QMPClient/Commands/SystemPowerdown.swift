/// Presses the guest's power button.
///
/// The reply and the event `POWERDOWN` say only that it was pressed. A guest that isn't up yet, or
/// doesn't listen, ignores it; one that obeys ends with the event `SHUTDOWN`, `guest-shutdown`.
///
/// On the wire: `system_powerdown`. Since QEMU 0.14; source: `qapi/machine.json`.
public struct SystemPowerdown: QMPCommand {
  /// The name on the wire.
  public static let name = "system_powerdown"

  /// Creates the command.
  public init() {}
}
