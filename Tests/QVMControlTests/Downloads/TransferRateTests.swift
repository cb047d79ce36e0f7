import Testing

@testable import QVMControl

@Suite struct TransferRateTests {
  private let start = SuspendingClock.now

  @Test func `a steady transfer has its rate and its time left`() {
    var rate = TransferRate()
    for tenth in 0...50 {
      rate.note(tenth * 100_000, at: start.advanced(by: .milliseconds(tenth * 100)))
    }
    #expect(rate.bytesPerSecond == 1_000_000)
    #expect(rate.secondsLeft(for: 2_500_000) == 3)
  }

  @Test func `one report gives no rate`() {
    var rate = TransferRate()
    rate.note(0, at: start)
    #expect(rate.bytesPerSecond == nil)
    #expect(rate.secondsLeft(for: 1) == nil)
  }

  @Test func `what was there before does not count as fast`() {
    var rate = TransferRate()
    rate.note(1_000_000_000, at: start)
    rate.note(1_000_100_000, at: start.advanced(by: .seconds(1)))
    #expect(rate.bytesPerSecond == 100_000)
  }

  @Test func `a transfer that starts over is measured anew`() {
    var rate = TransferRate()
    rate.note(0, at: start)
    rate.note(1_000_000, at: start.advanced(by: .seconds(1)))
    rate.note(0, at: start.advanced(by: .seconds(2)))
    #expect(rate.bytesPerSecond == nil)
    rate.note(500_000, at: start.advanced(by: .seconds(3)))
    #expect(rate.bytesPerSecond == 500_000)
  }

  @Test func `a transfer that stands still has no time left to tell`() {
    var rate = TransferRate()
    rate.note(0, at: start)
    for second in 1...60 { rate.note(0, at: start.advanced(by: .seconds(second))) }
    #expect(rate.bytesPerSecond == 0)
    #expect(rate.secondsLeft(for: 1) == nil)
  }

  @Test func `the rate follows a change within seconds`() throws {
    var rate = TransferRate()
    var bytes = 0
    for tenth in 0...200 {
      bytes += tenth < 100 ? 1_000_000 : 100_000
      rate.note(bytes, at: start.advanced(by: .milliseconds(tenth * 100)))
    }
    let now = try #require(rate.bytesPerSecond)
    #expect((1_000_000...1_800_000).contains(now))
  }
}
