import QMPClient
import Testing

@testable import QVMControl

@Suite struct LivenessTests {
  private func signs(
    answers: Bool = true, _ runState: RunState? = .running, size: Int = 100, written: Int = 1000
  ) -> Liveness {
    Liveness(
      silence: answers ? nil : "QEMU does not answer its monitor", runState: runState,
      consoleSize: size, lastWritten: Timestamp(seconds: written))
  }

  @Test func `a monitor that answers is a sign of life, and so is a console that is written to`() {
    let silent = signs(answers: false)
    #expect(signs().isAlive(since: signs()))
    #expect(signs(answers: false, size: 101).isAlive(since: silent))
    // A log that was cut meanwhile may have its old size again.
    #expect(signs(answers: false, written: 1001).isAlive(since: silent))
    #expect(!signs(answers: false).isAlive(since: silent))
    #expect(!signs(answers: false).isAlive(since: signs()))
  }

  @Test func `the sentence names both`() {
    let now = Timestamp(seconds: 1040)
    #expect(
      signs().sentence(at: now)
        == "QEMU answers (running); its console was last written to 40 s ago")
    #expect(
      signs(answers: false, nil, size: 0).sentence(at: now)
        == "QEMU does not answer its monitor; its console is empty")
  }
}
