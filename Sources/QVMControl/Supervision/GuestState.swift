internal import QMPClient

/// What is known of the guest: whether it was let execute, and what QEMU says of its run state and
/// its disks.
struct GuestState: Sendable {
  /// How far its start has come.
  enum Start: Sendable {
    case notBegun
    /// Its first instruction waits until a client is attached to the console.
    case held
    /// QEMU was asked to let it execute, or is asked as soon as it has a monitor again.
    case released
    /// QEMU has confirmed that it executes.
    case proceeded
  }

  var start = Start.notBegun
  var runState: RunState?
  private var pauseReason = PauseReason()
  private var diskTrouble = DiskTrouble()

  /// Takes in an event.
  ///
  /// - Returns: What to report; nil if there is nothing new.
  mutating func note(_ event: QMPEvent) -> String? {
    pauseReason.note(event)
    return diskTrouble.note(event)
  }

  /// Takes in what QEMU says of its disks.
  mutating func note(_ devices: [BlockDevice]) { pauseReason.note(devices) }

  var isHeld: Bool { start == .held }

  /// What QEMU could not read or write: an error that the guest got, or the reason of its pause.
  var diskError: String? { diskTrouble.text ?? pauseReason.failure }

  /// Whether it is known why the guest stands still, beyond the run state.
  var isPauseExplained: Bool { pauseReason.isKnown }

  /// What has to happen before the guest can be resumed.
  var resumeCondition: String {
    pauseReason.isDiskFull || !pauseReason.isKnown ? "there is room" : "that is mended"
  }

  /// Why the guest stands still.
  ///
  /// - Parameters:
  ///   - state: QEMU's.
  ///   - folder: The instance's.
  /// - Returns: The reason as it is now: how much room there is changes.
  func pauseText(_ state: RunState, folder: String) -> String {
    pauseReason.text(state, folder: folder, free: Files.freeSpace(at: folder))
  }
}
