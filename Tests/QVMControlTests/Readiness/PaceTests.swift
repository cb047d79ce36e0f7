import Testing

@testable import QVMControl

/// How often something is done that may be in vain for ever.
@Suite struct PaceTests {
  @Test func `a probe adds a small share to what was waited, and is patient with the slow`() {
    #expect(SSHProbe.Pace(after: .zero).pause == .milliseconds(100))
    #expect(SSHProbe.Pace(after: .zero).attempt == .seconds(2))
    for seconds in [4, 20, 60, 100] {
      let pace = SSHProbe.Pace(after: .seconds(seconds))
      #expect(pace.pause * 20 <= .seconds(seconds))
      #expect(pace.attempt <= max(.seconds(2), .seconds(seconds) / 10))
    }
    #expect(SSHProbe.Pace(after: .seconds(86_400)).pause == .seconds(5))
    #expect(SSHProbe.Pace(after: .seconds(86_400)).attempt == .seconds(15))
  }

  @Test func `a wait speaks after ten seconds, a minute, and then every five`() {
    var times: [Duration] = []
    var last = Duration.zero
    for _ in 0..<5 {
      last = RemarkTimes().next(after: last)
      times.append(last)
    }
    #expect(times == [10, 60, 360, 660, 960].map { .seconds($0) })
  }
}
