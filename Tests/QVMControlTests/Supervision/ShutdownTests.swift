import Testing

@testable import QVMControl

@Suite struct ShutdownTests {
  private let start = SuspendingClock.now

  private func at(_ seconds: Double) -> SuspendingClock.Instant {
    start.advanced(by: .seconds(seconds))
  }

  @Test func `of postponed requests the highest rung counts, and is handed out once`() {
    var shutdown = Shutdown()
    shutdown.postpone(.quit, timeout: 7)
    shutdown.postpone(.powerButton, timeout: 9)
    let request = shutdown.takePostponed()
    #expect(request?.rung == .quit && request?.timeout == 9)
    #expect(shutdown.takePostponed() == nil)
  }

  @Test func `a restart of the guest is reported once, and only if it was to power off`() {
    var shutdown = Shutdown()
    let isReportedUnasked = shutdown.guestReset()
    #expect(!isReportedUnasked)
    _ = shutdown.ladder.request(.powerButton, timeout: .seconds(60), at: shutdown.clock.now)
    let isReported = [shutdown.guestReset(), shutdown.guestReset()]
    #expect(isReported == [true, false])
  }

  @Test func `an outcome has the rungs as they were reached, each once`() {
    var shutdown = Shutdown()
    var outcome = Outcome(token: "t", result: .clean, reason: "guest-shutdown")
    shutdown.complete(&outcome)
    #expect(outcome.rung == nil && outcome.seconds == nil && outcome.steps == [])
    _ = shutdown.ladder.request(.powerButton, timeout: .zero, at: shutdown.clock.now)
    for rung in [ShutdownRung.powerButton, .guestCommand, .powerButton] { shutdown.note(rung) }
    shutdown.noteCommand(failure: "no route to host")
    shutdown.complete(&outcome)
    #expect(outcome.rung == "powerdown" && outcome.presses == 1)
    #expect(outcome.steps.map(\.rung) == ["powerdown", "ssh"])
    #expect(outcome.steps.map(\.failure) == [nil, "no route to host"])
  }

  @Test func `what came of the guest's command is reported once, a success also after a failure`() {
    var command = GuestPowerOffCommand()
    let failures = [command.failed(), command.failed()]
    #expect(failures == [true, false])
    #expect(command.isHopeless && !command.hasReportedSuccess)
    let successes = [command.succeeded(), command.succeeded()]
    #expect(successes == [true, false])
    #expect(command.hasReportedSuccess)
  }

  @Test func `no time counts while QEMU owes an answer for longer than a tick`() {
    var clock = ShutdownClock(at: start)
    clock.asked(at: at(0))
    var reports: [Bool] = []
    for second in 1...4 { reports.append(clock.look(at: at(Double(second)), isAskingGuest: true)) }
    #expect(reports == [true, false, false, false])
    #expect(clock.now == start)
    clock.answered()
    #expect(!clock.awaitsAnswer)
    _ = clock.look(at: at(5), isAskingGuest: true)
    #expect(clock.now == at(1))
  }

  @Test func `a silence counts if it is not the guest that is waited for`() {
    var clock = ShutdownClock(at: start)
    clock.asked(at: at(0))
    let isReported = clock.look(at: at(1), isAskingGuest: false)
    #expect(!isReported && clock.now == at(1))
  }
}
