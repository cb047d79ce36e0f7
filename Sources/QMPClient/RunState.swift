/// A run state of the virtual machine, in QEMU's own words.
///
/// An open set: a newer QEMU may have more. Source: `RunState` of `qapi/run-state.json`.
public struct RunState: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
  /// QEMU's word.
  public let rawValue: String

  /// Creates a run state from QEMU's word, known or not.
  public init(rawValue: String) { self.rawValue = rawValue }

  /// QEMU's word.
  public var description: String { rawValue }

  /// The guest executes.
  public static let running = RunState(rawValue: "running")
  /// Stopped by `stop`.
  public static let paused = RunState(rawValue: "paused")
  /// Started with `-S` and not continued yet.
  public static let prelaunch = RunState(rawValue: "prelaunch")
  /// The guest has shut down, and QEMU was told to stay.
  public static let shutdown = RunState(rawValue: "shutdown")
  /// The guest sleeps (ACPI S3).
  public static let suspended = RunState(rawValue: "suspended")
  /// A disk could not be read or written, and the guest was stopped for it.
  public static let ioError = RunState(rawValue: "io-error")
  /// The accelerator failed in a way that only a reset mends.
  public static let internalError = RunState(rawValue: "internal-error")
  /// The guest reported a panic, and QEMU was told to stop it.
  public static let guestPanicked = RunState(rawValue: "guest-panicked")
  /// A watchdog fired, and QEMU was told to stop the guest.
  public static let watchdog = RunState(rawValue: "watchdog")
}

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
}
