/// Why QEMU shut down or was reset, under QEMU's name for it.
///
/// An open set. Source: `ShutdownCause` of `qapi/run-state.json`.
public struct ShutdownCause: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
  /// QEMU's name.
  public let rawValue: String

  /// Creates a cause from QEMU's name, known or not.
  public init(rawValue: String) { self.rawValue = rawValue }

  /// QEMU's name.
  public var description: String { rawValue }

  /// No cause was given: `none` on the wire.
  public static let unspecified = ShutdownCause(rawValue: "none")
  /// An error on the host ended the guest.
  public static let hostError = ShutdownCause(rawValue: "host-error")
  /// The guest powered off.
  public static let guestShutdown = ShutdownCause(rawValue: "guest-shutdown")
  /// The guest reset itself.
  public static let guestReset = ShutdownCause(rawValue: "guest-reset")
  /// The guest panicked, and QEMU was told to exit then.
  public static let guestPanic = ShutdownCause(rawValue: "guest-panic")
  /// A client sent `quit`.
  public static let hostQMPQuit = ShutdownCause(rawValue: "host-qmp-quit")
  /// QEMU got SIGTERM, SIGINT or SIGHUP.
  public static let hostSignal = ShutdownCause(rawValue: "host-signal")
  /// A client sent `system_reset`.
  public static let hostQMPSystemReset = ShutdownCause(rawValue: "host-qmp-system-reset")
  /// The user closed QEMU's window.
  public static let hostUI = ShutdownCause(rawValue: "host-ui")
  /// A part of the machine was reset on its own.
  public static let subsystemReset = ShutdownCause(rawValue: "subsystem-reset")
}
