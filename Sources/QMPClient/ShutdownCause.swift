/// Why QEMU shut down or was reset, in QEMU's own words.
///
/// An open set. Source: `ShutdownCause` of `qapi/run-state.json`.
public struct ShutdownCause: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
  /// QEMU's word.
  public let rawValue: String

  /// Creates a cause from QEMU's word, known or not.
  public init(rawValue: String) { self.rawValue = rawValue }

  /// QEMU's word.
  public var description: String { rawValue }

  /// No cause was given: `none` on the wire.
  public static let unspecified = ShutdownCause(rawValue: "none")
  /// An error on the host ended the guest.
  public static let hostError = ShutdownCause(rawValue: "host-error")
  /// The guest powered off.
  public static let guestShutdown = ShutdownCause(rawValue: "guest-shutdown")
  /// The guest reset itself.
  public static let guestReset = ShutdownCause(rawValue: "guest-reset")
  /// The guest panicked, and QEMU was told to end then.
  public static let guestPanic = ShutdownCause(rawValue: "guest-panic")
  /// Somebody sent `quit`.
  public static let hostQMPQuit = ShutdownCause(rawValue: "host-qmp-quit")
  /// Somebody sent SIGTERM, SIGINT or SIGHUP to QEMU.
  public static let hostSignal = ShutdownCause(rawValue: "host-signal")
  /// Somebody sent `system_reset`.
  public static let hostQMPSystemReset = ShutdownCause(rawValue: "host-qmp-system-reset")
  /// Somebody closed QEMU's window.
  public static let hostUI = ShutdownCause(rawValue: "host-ui")
  /// A part of the guest was reset, by itself.
  public static let subsystemReset = ShutdownCause(rawValue: "subsystem-reset")
}
