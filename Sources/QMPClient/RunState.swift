/// A run state of the virtual machine, under QEMU's name for it.
///
/// An open set: a newer QEMU may have more. Source: `RunState` of `qapi/run-state.json`.
public struct RunState: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
  /// QEMU's name.
  public let rawValue: String

  /// Creates a run state from QEMU's name, known or not.
  public init(rawValue: String) { self.rawValue = rawValue }

  /// QEMU's name.
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
  /// A disk could not be read or written, so QEMU stopped the guest.
  public static let ioError = RunState(rawValue: "io-error")
  /// The accelerator failed; only a reset helps.
  public static let internalError = RunState(rawValue: "internal-error")
  /// The guest reported a panic, and QEMU was told to stop it.
  public static let guestPanicked = RunState(rawValue: "guest-panicked")
  /// A watchdog fired, and QEMU was told to stop the guest.
  public static let watchdog = RunState(rawValue: "watchdog")
  /// Stopped by a debugger.
  public static let debug = RunState(rawValue: "debug")
  /// Waits for an incoming migration.
  public static let incomingMigration = RunState(rawValue: "inmigrate")
  /// Stopped for the last part of an outgoing migration.
  public static let finishMigration = RunState(rawValue: "finish-migrate")
  /// Stopped after a migration.
  public static let postMigration = RunState(rawValue: "postmigrate")
  /// Stopped while its state is saved.
  public static let savingState = RunState(rawValue: "save-vm")
  /// Stopped while its state is restored.
  public static let restoringState = RunState(rawValue: "restore-vm")
  /// Stopped for a checkpoint of coarse-grained lock-stepping.
  public static let colo = RunState(rawValue: "colo")

  /// Whether the guest executes, or would if it didn't sleep.
  package var executes: Bool { self == .running || self == .suspended }
}
