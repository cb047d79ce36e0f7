package import QMPClient

/// Why a guest stands still: QEMU's run state, and what it said of a disk before.
package struct PauseReason: Sendable, Hashable {
  /// QEMU's own words for what went wrong with a disk; nil if nothing did since the guest runs.
  private var why: String?
  private var isDiskFull = false

  /// A disk with less room, in bytes, is as good as full.
  private static let little = 1_000_000

  package init() {}

  /// Takes in an event.
  package mutating func note(_ event: QMPEvent) {
    switch event.name {
    case "BLOCK_IO_ERROR":
      why = event.data["reason"]?.string
      isDiskFull = event.data["nospace"]?.bool ?? false
    case "RESUME", "RESET": self = PauseReason()
    default: break
    }
  }

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
    // Who took a VM over has not heard why.
    if let free, isDiskFull || why == nil && free < Self.little {
      let isFull = free < Self.little
      return "\(state): the disk \(isFull ? "is" : "was") full,"
        + " \(ByteCount.text(free)) free\(isFull ? "" : " now") at \(folder)"
    }
    return why.map { "\(state): \($0)" } ?? state.rawValue
  }
}
