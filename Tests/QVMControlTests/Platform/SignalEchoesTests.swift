import Testing

@testable import QVMControl

@Suite struct SignalEchoesTests {
  private struct Arrival {
    let signal: Signal
    var isTyped = false
    let milliseconds: Int
  }

  /// Which of them are wishes.
  private func wishes(_ arrivals: [Arrival]) -> [Bool] {
    let start = SuspendingClock.now
    var echoes = SignalEchoes()
    return arrivals.map {
      echoes.isWish(
        $0.signal, fromTerminal: $0.isTyped,
        at: start.advanced(by: .milliseconds($0.milliseconds)))
    }
  }

  @Test(arguments: [Signal.interrupt, .terminate, .hangUp, .quit])
  func `the same signal within two seconds is the same wish`(signal: Signal) {
    let times = [0, 200, 300, 1999, 2000, 2001, 3999, 4000]
    #expect(
      wishes(times.map { Arrival(signal: signal, milliseconds: $0) })
        == [true, false, false, false, true, false, false, true])
  }

  @Test func `another signal is another wish`() {
    #expect(
      wishes([
        Arrival(signal: .interrupt, milliseconds: 0), Arrival(signal: .terminate, milliseconds: 1),
        Arrival(signal: .interrupt, milliseconds: 2),
      ]) == [true, true, false])
  }

  @Test func `each Ctrl-C is a wish, and what a program passes on of it none`() {
    #expect(
      wishes([
        Arrival(signal: .interrupt, isTyped: true, milliseconds: 0),
        Arrival(signal: .interrupt, milliseconds: 5),
        Arrival(signal: .interrupt, isTyped: true, milliseconds: 900),
        Arrival(signal: .interrupt, milliseconds: 2100),
      ]) == [true, false, true, false])
  }

  @Test func `what asks for no end has no echo`() {
    #expect(
      wishes([
        Arrival(signal: .terminalStop, milliseconds: 0),
        Arrival(signal: .continued, milliseconds: 1),
        Arrival(signal: .terminalStop, milliseconds: 2),
        Arrival(signal: .continued, milliseconds: 3),
      ]) == [true, true, true, true])
  }
}
