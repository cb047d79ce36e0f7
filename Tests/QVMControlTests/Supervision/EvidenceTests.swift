import QMPClient
import Testing

@testable import QVMControl

@Suite struct EvidenceTests {
  /// One way that a VM's process ended, and what it proves.
  struct Case: Sendable, CustomTestStringConvertible {
    let events: [QMPEvent]
    var isKilled = false
    let end: ProcessEnd
    let result: Outcome.Ending
    let reason: String

    var testDescription: String { "\(events.map(\.name)), \(end) → \(result): \(reason)" }
  }

  private static func shutdown(_ reason: String, byGuest: Bool) -> QMPEvent {
    QMPEvent(name: "SHUTDOWN", data: ["guest": .bool(byGuest), "reason": .string(reason)])
  }

  private static let poweredOff = shutdown("guest-shutdown", byGuest: true)
  private static let panicked = QMPEvent(name: "GUEST_PANICKED", data: ["action": "pause"])

  static let cases: [Case] = [
    Case(events: [poweredOff], end: .exited(0), result: .clean, reason: "guest-shutdown"),
    Case(
      events: [shutdown("host-qmp-quit", byGuest: false)], end: .exited(0), result: .forced,
      reason: "host-qmp-quit"),
    Case(
      events: [shutdown("host-signal", byGuest: false)], end: .exited(0), result: .forced,
      reason: "host-signal"),
    Case(
      events: [shutdown("guest-reset", byGuest: true)], end: .exited(0), result: .reset,
      reason: "guest-reset"),
    Case(
      events: [shutdown("host-qmp-system-reset", byGuest: false)], end: .exited(0),
      result: .reset, reason: "host-qmp-system-reset"),
    // With -no-shutdown the guest's end and QEMU's are two.
    Case(
      events: [poweredOff, shutdown("host-qmp-quit", byGuest: false)], end: .exited(0),
      result: .clean, reason: "guest-shutdown"),
    Case(
      events: [shutdown("guest-reset", byGuest: true), shutdown("host-signal", byGuest: false)],
      end: .exited(0), result: .reset, reason: "guest-reset"),
    Case(
      events: [
        poweredOff, QMPEvent(name: "RESET"), QMPEvent(name: "RESUME"),
        shutdown("host-qmp-quit", byGuest: false),
      ], end: .exited(0), result: .forced, reason: "host-qmp-quit"),
    Case(
      events: [poweredOff, QMPEvent(name: "RESUME")], end: .exited(0), result: .crashed,
      reason: "no-shutdown-event"),
    Case(
      events: [shutdown("guest-panic", byGuest: true)], end: .exited(0), result: .crashed,
      reason: "guest-panic"),
    Case(
      events: [panicked, poweredOff], end: .exited(0), result: .crashed, reason: "guest-panic"),
    Case(
      events: [shutdown("host-error", byGuest: false)], end: .exited(0), result: .crashed,
      reason: "host-error"),
    Case(events: [], end: .exited(0), result: .crashed, reason: "no-shutdown-event"),
    Case(events: [], end: .exited(1), result: .crashed, reason: "qemu-exit-1"),
    Case(events: [poweredOff], end: .exited(1), result: .crashed, reason: "qemu-exit-1"),
    Case(events: [], end: .signalled(6), result: .crashed, reason: "qemu-signal-6"),
    Case(events: [poweredOff], end: .signalled(11), result: .crashed, reason: "qemu-signal-11"),
    Case(events: [], end: .signalled(9), result: .crashed, reason: "qemu-signal-9"),
    Case(events: [], isKilled: true, end: .signalled(9), result: .forced, reason: "killed"),
    Case(events: [], isKilled: true, end: .signalled(6), result: .crashed, reason: "qemu-signal-6"),
    // Words of QEMUs that are not known here.
    Case(
      events: [shutdown("solar-flare", byGuest: true)], end: .exited(0), result: .forced,
      reason: "solar-flare"),
    Case(
      events: [QMPEvent(name: "SHUTDOWN")], end: .exited(0), result: .forced, reason: "unknown"),
    // A guest that reboots, or obeys the button late, has not ended.
    Case(
      events: [QMPEvent(name: "RESET", data: ["guest": true, "reason": "guest-reset"])],
      end: .exited(0), result: .crashed, reason: "no-shutdown-event"),
    Case(
      events: [QMPEvent(name: "POWERDOWN")], end: .exited(0), result: .crashed,
      reason: "no-shutdown-event"),
  ]

  @Test(arguments: cases) func `announcement and end together tell how it went`(_ item: Case) {
    var evidence = Evidence()
    for event in item.events { evidence.note(event) }
    evidence.wasKilled = item.isKilled
    let verdict = evidence.verdict(item.end)
    #expect(verdict.result == item.result)
    #expect(verdict.reason == item.reason)
  }

  @Test func `a guest that was found off has an unknown outcome, whatever ends QEMU then`() {
    var evidence = Evidence()
    evidence.note(RunState.shutdown)
    evidence.note(Self.shutdown("host-qmp-quit", byGuest: false))
    #expect(evidence.verdict(.exited(0)).result == .unknown)
    // Started anew, it was heard.
    evidence.note(QMPEvent(name: "RESET"))
    evidence.note(Self.shutdown("host-qmp-quit", byGuest: false))
    #expect(evidence.verdict(.exited(0)).result == .forced)
  }

  @Test func `a guest that was found panicked has panicked`() {
    var evidence = Evidence()
    evidence.note(RunState.guestPanicked)
    evidence.note(Self.shutdown("host-qmp-quit", byGuest: false))
    #expect(evidence.verdict(.exited(0)).reason == "guest-panic")
  }

  @Test(arguments: [
    (false, false, false, Outcome.Ending.unknown, "unobserved"),
    (true, false, false, .crashed, "qemu-killed"),
    (false, true, false, .forced, "host-signal"),
    (true, true, false, .crashed, "qemu-killed"),
    (true, true, true, .forced, "killed"),
    // A kill that came too late: QEMU had removed its pid file by then.
    (false, true, true, .forced, "host-signal"),
  ])
  func `without an exit status the pid file tells how it went`(
    pidFileRemains: Bool, wasTerminated: Bool, wasKilled: Bool, result: Outcome.Ending,
    reason: String
  ) {
    var evidence = Evidence()
    evidence.wasTerminated = wasTerminated
    evidence.wasKilled = wasKilled
    let verdict = evidence.verdict(pidFileRemains: pidFileRemains)
    #expect(verdict.result == result)
    #expect(verdict.reason == reason)
  }

  @Test(arguments: [
    (poweredOff, false, Outcome.Ending.clean), (poweredOff, true, .crashed),
    (shutdown("host-qmp-quit", byGuest: false), false, .forced),
    (shutdown("guest-panic", byGuest: true), false, .crashed),
  ])
  func `without an exit status an announcement still counts`(
    event: QMPEvent, pidFileRemains: Bool, result: Outcome.Ending
  ) {
    var evidence = Evidence()
    evidence.note(event)
    #expect(evidence.verdict(pidFileRemains: pidFileRemains).result == result)
  }

  @Test(arguments: ["host-qmp-quit", "host-signal"])
  func `ended since the disk could not be used it is forced, and no confirmed shutdown`(
    cause: String
  ) {
    var evidence = Evidence()
    evidence.isStalledByDisk = true
    evidence.note(Self.shutdown(cause, byGuest: false))
    let verdict = evidence.verdict(.exited(0))
    #expect(verdict.result == .forced)
    #expect(verdict.reason == Outcome.stalledByDisk)
    #expect(
      !Outcome(token: "t", result: verdict.result, reason: verdict.reason).isConfirmedShutdown)
    // It went on meanwhile.
    evidence.note(QMPEvent(name: "RESUME", data: [:]))
    evidence.note(Self.shutdown(cause, byGuest: false))
    #expect(evidence.verdict(.exited(0)).reason == cause)
  }
}
