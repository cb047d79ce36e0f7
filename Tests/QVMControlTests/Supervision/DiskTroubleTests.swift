import QMPClient
import Testing

@testable import QVMControl

@Suite struct DiskTroubleTests {
  private static func failure(_ action: String, _ operation: String, _ reason: String) -> QMPEvent {
    QMPEvent(
      name: "BLOCK_IO_ERROR",
      data: [
        "device": "drive0", "nospace": false, "reason": .string(reason),
        "action": .string(action), "operation": .string(operation),
      ])
  }

  @Test func `each kind of error that the guest got is reported once`() {
    var trouble = DiskTrouble()
    let events = [
      Self.failure("report", "read", "Input/output error"),
      Self.failure("report", "read", "Input/output error"),
      Self.failure("ignore", "write", "Disk quota exceeded"),
    ]
    let notices = events.map { trouble.note($0) }
    #expect(
      notices[0] == "a disk of the guest failed, and the guest was told: read: Input/output error")
    #expect(notices[1] == nil)
    #expect(notices[2] != nil)
    #expect(trouble.text == "read: Input/output error; write: Disk quota exceeded")
  }

  @Test func `a pause, and any other event, is no trouble`() {
    var trouble = DiskTrouble()
    #expect(trouble.note(Self.failure("stop", "write", "No space left on device")) == nil)
    #expect(trouble.note(QMPEvent(name: "STOP")) == nil)
    #expect(trouble.text == nil)
  }

  @Test func `a guest that fails in ever new ways doesn't fill the memory`() {
    var trouble = DiskTrouble()
    let notices = (0..<100).compactMap { trouble.note(Self.failure("report", "read", "\($0)")) }
    #expect(notices.count == 4)
  }
}
