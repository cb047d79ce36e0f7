package import QMPClient

/// Why a guest stands still: QEMU's run state, and what it said of a disk before.
package struct PauseReason: Sendable, Hashable {
  /// What went wrong with a disk; nil if nothing did since the guest runs.
  private var error: QMPEvent.BlockIOError?
  /// What a disk's own status says if no event told why.
  private var status: BlockDevice.IOStatus?

  /// A disk with less room, in bytes, is as good as full.
  private static let little = 1_000_000

  package init() {}

  /// Takes in an event.
  package mutating func note(_ event: QMPEvent) {
    switch event.name {
    case "BLOCK_IO_ERROR":
      // With the other actions the guest continues.
      guard let new = event.blockIOError, ["stop", ""].contains(new.action) else { return }
      error = new
    case "RESUME", "RESET": self = PauseReason()
    default: break
    }
  }

  /// Takes in what QEMU says of its disks: one that was adopted has told why before that.
  package mutating func note(_ devices: [BlockDevice]) {
    let troubled = devices.compactMap(\.ioStatus).filter { $0 != .ok }
    status = troubled.first { $0 == .noSpace } ?? troubled.first
  }

  /// Whether anything is known beyond the run state.
  package var isKnown: Bool { error != nil || status != nil }

  /// Whether room is what is lacking.
  package var isDiskFull: Bool { error?.isNoSpace ?? (status == .noSpace) }

  /// What failed, such as `write: Disk quota exceeded`; nil if that isn't known.
  package var failure: String? { error.map(DiskTrouble.text) }

  /// The reason as people and `status` see it, such as
  /// `io-error: the disk is full, 12.0 kB free at /c/instances/box`.
  ///
  /// - Parameters:
  ///   - state: QEMU's.
  ///   - folder: The instance's.
  ///   - free: The bytes that are free there now; nil if that can't be told.
  /// - Returns: QEMU's word first, as it is.
  package func text(_ state: RunState, folder: String, free: Int?) -> String {
    guard state == .ioError else { return state.rawValue }
    // An adopted QEMU has told why before that.
    if let free, isDiskFull || !isKnown && free < Self.little {
      let isFull = free < Self.little
      return "\(state): the disk \(isFull ? "is" : "was") full,"
        + " \(ByteCount.text(free)) free\(isFull ? "" : " now") at \(folder)"
    }
    guard let error else {
      return status == nil ? state.rawValue : "\(state): a disk at \(folder) failed"
    }
    let reason = error.reason.isEmpty ? "unknown" : error.reason
    switch error.operation {
    case "write": return "\(state): the disk at \(folder) can't be written: \(reason)"
    case "read": return "\(state): the disk at \(folder) can't be read: \(reason)"
    default: return "\(state): \(reason)"
    }
  }
}
