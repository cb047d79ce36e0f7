import Testing

@testable import QVMControl

@Suite struct CountedTimeTests {
  private let start = SuspendingClock.now

  private func at(_ seconds: Double) -> SuspendingClock.Instant {
    start.advanced(by: .seconds(seconds))
  }

  private func time(_ looks: Double..., silent: Bool = false) -> CountedTime {
    var time = CountedTime(at: start)
    for look in looks { time.look(at: at(look), isSilent: silent) }
    return time
  }

  @Test func `it goes like the system's clock where it is looked at often enough`() {
    #expect(time(0.5, 1.5, 2, 2.25).now == at(2.25))
  }

  @Test func `of the time between two looks no more than a tick counts`() {
    #expect(time(0.5, 32).now == at(1.5))
    #expect(time(0.5, 32, 32.5).now == at(2))
  }

  @Test func `a clock that seems to go back takes nothing back`() {
    #expect(time(0.5, 0.25, 0.75).now == at(1))
  }

  @Test func `the time in which QEMU is silent doesn't count, up to a limit`() {
    #expect(time(1, 2, 3, silent: true).now == at(0))
    var silent = CountedTime(at: start)
    for second in 1...100 { silent.look(at: at(Double(second)), isSilent: true) }
    #expect(silent.now == at(100) - CountedTime.mostSilence)
  }

  @Test func `what is due is looked for when it is due, and at least once a tick`() {
    let time = time(1, 10)
    #expect(time.now == at(2))
    #expect(time.nextLook(for: at(2.5)) == at(10.5))
    #expect(time.nextLook(for: at(60)) == at(11))
    #expect(time.nextLook(for: at(1)) == at(10))
  }
}
