import QMPClient
import Testing

@testable import QVMControl

@Suite struct PauseReasonTests {
  private static func failure(_ reason: String, isFull: Bool) -> QMPEvent {
    QMPEvent(
      name: "BLOCK_IO_ERROR",
      data: ["device": "drive0", "nospace": .bool(isFull), "reason": .string(reason)])
  }

  private static let full = failure("No space left on device", isFull: true)
  private static let broken = failure("Input/output error", isFull: false)

  @Test(
    arguments: [
      ([full], 40_960, "io-error: the disk is full, 40.9 kB free at /c/i/box"),
      ([full], 96_000_000, "io-error: the disk was full, 96.0 MB free now at /c/i/box"),
      ([full], nil, "io-error: No space left on device"),
      ([broken], 0, "io-error: Input/output error"),
      ([broken, full], 0, "io-error: the disk is full, 0 B free at /c/i/box"),
      // Whoever took it over was not told, and looks.
      ([], 0, "io-error: the disk is full, 0 B free at /c/i/box"), ([], 96_000_000, "io-error"),
      ([full, QMPEvent(name: "RESUME"), broken], 0, "io-error: Input/output error"),
      ([broken, QMPEvent(name: "RESUME")], 96_000_000, "io-error"),
    ] as [([QMPEvent], Int?, String)])
  func `a disk that failed is named with what QEMU said of it`(
    events: [QMPEvent], free: Int?, text: String
  ) {
    var reason = PauseReason()
    for event in events { reason.note(event) }
    #expect(reason.text(.ioError, folder: "/c/i/box", free: free) == text)
  }

  @Test(arguments: ["paused", "guest-panicked", "internal-error", "never-heard-of"])
  func `any other state is QEMU's own word`(state: String) {
    var reason = PauseReason()
    reason.note(Self.full)
    #expect(reason.text(RunState(rawValue: state), folder: "/c", free: 0) == state)
  }
}
