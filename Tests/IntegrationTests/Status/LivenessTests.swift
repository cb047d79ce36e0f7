import Foundation
import QMPClient
import QVMControl
import TestSupport
import Testing

/// A VM that is slow is told from one that is dead, by its monitor and its console.
@Suite(.timeLimit(.minutes(15))) struct LivenessTests {
  /// Waits in this process for what never comes, with a shorter timeout than the command has.
  private func wait(
    for name: String, in sandbox: Sandbox, timeout: Duration, limit: Duration
  ) throws -> WaitResult {
    let store = InstanceStore(Cache(path: sandbox.cache.path))
    let name = try InstanceName(name)
    let loop = try EventLoop()
    return try loop.run {
      try await InstanceWait(name, in: store, on: loop, silenceTimeout: timeout)
        .wait(for: .console("never shown"), within: limit)
    }
  }

  @Test func `a VM whose monitor and console are silent is given up long before the time is up`()
    async throws
  {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--name", "dead", "demo", "1")
      _ = try await sandbox.qvm("wait", "dead", "--timeout", "30")
      let pid = try #require(try await sandbox.status("dead")["pid"]?.int.map(Int32.init))
      kill(pid, SIGSTOP)
      let result = try wait(
        for: "dead", in: sandbox, timeout: .seconds(2), limit: .seconds(60))
      kill(pid, SIGCONT)
      guard case .dead(.seconds(2), let tail) = result else {
        Issue.record("taken for alive: \(result)")
        return
      }
      #expect(tail.contains { $0.contains("ready") })
    }
  }

  @Test func `a guest that only takes its time is waited for until the time is up`() async throws {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--name", "slow", "demo", "1")
      _ = try await sandbox.qvm("wait", "slow", "--timeout", "30")
      // Its console is silent from here on, but QEMU answers.
      let result = try wait(
        for: "slow", in: sandbox, timeout: .seconds(1), limit: .seconds(3))
      guard case .timedOut(let signs?, _) = result else {
        Issue.record("given up: \(result)")
        return
      }
      #expect(signs.hasPrefix("QEMU answers (running); its console was last written to "))
      let told = try await sandbox.qvm("wait", "slow", "--for", "console:never", "--timeout", "0")
      #expect(told.status == 124)
      #expect(
        told.err.contains("slow has not shown 'never' yet: QEMU answers (running)"), "\(told.err)")
    }
  }
}
