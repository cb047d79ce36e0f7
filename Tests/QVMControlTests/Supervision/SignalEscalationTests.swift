import Testing

@testable import QVMControl

@Suite struct SignalEscalationTests {
  @Test(arguments: [
    ([Signal.interrupt, .interrupt, .interrupt, .interrupt], [1, 3, 5, nil] as [Int?]),
    ([.quit, .quit, .quit], [3, 5, nil]),
    ([.interrupt, .quit, .quit], [1, 3, 5]),
    // A closed terminal is told of twice, and a Ctrl-C before it was meant as well.
    ([.hangUp, .hangUp], [1, nil]),
    ([.interrupt, .hangUp], [1, nil]),
    ([.terminate, .terminate, .terminate], [1, 3, nil]),
    // What CI systems send before they kill.
    ([.interrupt, .terminate], [1, 3]),
    ([.interrupt, .interrupt, .terminate], [1, 3, nil]),
    ([.terminate, .interrupt, .interrupt], [1, 3, 5]),
    ([.terminalStop, .continued, .interrupt], [nil, nil, 1]),
  ])
  func `each signal asks for a rung, or for nothing new`(signals: [Signal], rungs: [Int?]) {
    var escalation = SignalEscalation()
    #expect(signals.map { escalation.rung(for: $0)?.rawValue } == rungs)
  }

  @Test func `only what comes after the power button is force`() {
    var escalation = SignalEscalation()
    _ = escalation.rung(for: .interrupt)
    #expect(!escalation.isForcing)
    _ = escalation.rung(for: .terminate)
    #expect(escalation.isForcing)
  }
}
