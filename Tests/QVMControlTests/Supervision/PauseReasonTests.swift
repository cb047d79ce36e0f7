import QMPClient
import Testing

@testable import QVMControl

@Suite struct PauseReasonTests {
  private static func failure(
    _ reason: String, isFull: Bool, action: String = "stop", _ operation: String = "write"
  ) -> QMPEvent {
    QMPEvent(
      name: "BLOCK_IO_ERROR",
      data: [
        "device": "drive0", "nospace": .bool(isFull), "reason": .string(reason),
        "action": .string(action), "operation": .string(operation),
      ])
  }

  private static let full = failure("No space left on device", isFull: true)
  private static let broken = failure("Input/output error", isFull: false)

  @Test(
    arguments: [
      ([full], 40_960, "io-error: the disk is full, 40.9 kB free at /c/i/box"),
      ([full], 96_000_000, "io-error: the disk was full, 96.0 MB free now at /c/i/box"),
      (
        [full], nil, "io-error: the disk at /c/i/box can't be written: No space left on device"
      ),
      ([broken], 0, "io-error: the disk at /c/i/box can't be written: Input/output error"),
      (
        [failure("Input/output error", isFull: false, "read")], 0,
        "io-error: the disk at /c/i/box can't be read: Input/output error"
      ),
      // What the guest was told is not why it stands still.
      (
        [full, failure("x", isFull: false, action: "report")], 0,
        "io-error: the disk is full, 0 B free at /c/i/box"
      ),
      ([broken, full], 0, "io-error: the disk is full, 0 B free at /c/i/box"),
      // The process that adopted it was not told, and looks.
      ([], 0, "io-error: the disk is full, 0 B free at /c/i/box"), ([], 96_000_000, "io-error"),
      (
        [full, QMPEvent(name: "RESUME"), broken], 0,
        "io-error: the disk at /c/i/box can't be written: Input/output error"
      ),
      ([broken, QMPEvent(name: "RESUME")], 96_000_000, "io-error"),
    ] as [([QMPEvent], Int?, String)])
  func `a disk that failed is named with what QEMU said of it`(
    events: [QMPEvent], free: Int?, text: String
  ) {
    var reason = PauseReason()
    for event in events { reason.note(event) }
    #expect(reason.text(.ioError, folder: "/c/i/box", free: free) == text)
  }

  private static func disk(_ status: String) throws -> BlockDevice {
    try BlockDevice([
      "device": "drive0", "removable": false, "locked": false, "io-status": .string(status),
    ])
  }

  @Test(arguments: [
    (["ok", "nospace"], "io-error: the disk was full, 5.0 GB free now at /c"),
    (["failed"], "io-error: a disk at /c failed"), (["ok"], "io-error"), ([], "io-error"),
  ])
  func `without QEMU's words its disks tell what they know`(
    statuses: [String], text: String
  ) throws {
    var reason = PauseReason()
    reason.note(try statuses.map(Self.disk))
    #expect(reason.text(.ioError, folder: "/c", free: 5_000_000_000) == text)
  }

  @Test(arguments: ["paused", "guest-panicked", "internal-error", "never-heard-of"])
  func `any other state is QEMU's own word`(state: String) {
    var reason = PauseReason()
    reason.note(Self.full)
    #expect(reason.text(RunState(rawValue: state), folder: "/c", free: 0) == state)
  }
}
