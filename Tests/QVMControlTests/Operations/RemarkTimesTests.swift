import Testing

@testable import QVMControl

@Suite struct RemarkTimesTests {
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
