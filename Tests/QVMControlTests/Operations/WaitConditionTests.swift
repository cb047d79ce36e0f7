import Testing

@testable import QVMControl

@Suite struct WaitConditionTests {
  @Test(arguments: [
    ("ready", WaitCondition.ready), ("running", .running), ("stopped", .stopped),
    ("console:login:", .console("login:")), ("console: ", .console(" ")),
    ("console:console:", .console("console:")), ("console:é", .console("é")),
  ])
  func `a word is a condition, and spelled the same`(word: String, condition: WaitCondition) {
    #expect(WaitCondition(word: word) == condition)
    #expect(condition.description == word)
  }

  @Test(arguments: ["", "Ready", "ready ", "console", "console:", "consoles:x", "up"])
  func `another word is not a condition`(word: String) {
    #expect(WaitCondition(word: word) == nil)
  }

  @Test func `each result has its word and its exit status`() {
    let results: [WaitResult] = [
      .met, .ended(nil, tail: []), .timedOut(signs: nil, tail: []),
      .dead(after: .seconds(30), tail: []),
    ]
    #expect(results.map(\.word) == ["met", "ended", "timed-out", "dead"])
    #expect(results.map(\.exitStatus) == [.done, .endedFirst, .timedOut, .failed])
    #expect(results.map(\.exitStatus.rawValue) == [0, 5, 124, 1])
  }

  @Test func `the error says how the VM ended, with the end of the console`() throws {
    let name = try InstanceName("vm")
    let crashed = Outcome(token: "t", result: .crashed, reason: "guest-panic", exitStatus: 0)
    #expect(WaitResult.met.sentence(name, .ready, timeoutBy: "--timeout") == nil)
    #expect(
      WaitResult.ended(nil, tail: []).sentence(name, .ready, timeoutBy: "--timeout")
        == "vm is not running; it was never ready")
    #expect(
      WaitResult.ended(crashed, tail: ["a", "b"]).sentence(
        name, .console("x"), timeoutBy: "--timeout")
        == "vm crashed: the guest panicked; its console never showed 'x'\n"
        + "the last lines of its console:\n  a\n  b")
    #expect(
      WaitResult.timedOut(signs: "QEMU answers", tail: ["a"]).sentence(
        name, .ready, timeoutBy: "--timeout")
        == "the time is up: vm is not ready yet: QEMU answers\n"
        + "     --timeout sets a longer time, such as --timeout 30m.\nthe last lines of its console:\n  a"
    )
    let dead = WaitResult.dead(after: .seconds(30), tail: []).sentence(
      name, .ready, timeoutBy: "--timeout")
    #expect(dead?.hasPrefix("vm seems dead") == true)
    #expect(dead?.contains("for 30 s; it was never ready\n") == true)
    #expect(dead?.hasSuffix("'qvm stop --force vm' ends it.") == true)
  }
}
