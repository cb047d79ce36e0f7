import QMPClient
import TestSupport
import Testing

/// What qvm tells a user to do next.
@Suite(.timeLimit(.minutes(10))) struct HintTests {
  @Test func `of one that runs already it is said how to get to it`() async throws {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--name", "box", "demo", "1")
      for words in [["run", "--name", "box", "demo", "1"], ["start", "box"]] {
        let again = try await sandbox.qvm(words)
        #expect(again.status == 1)
        #expect(again.err.contains("'qvm attach box'"), "\(again.err)")
        #expect(again.err.contains("'qvm console box'"))
        // The demo guest has no server for it.
        #expect(!again.err.contains("qvm ssh"))
      }
      let remove = try await sandbox.qvm("rm", "box")
      #expect(remove.status == 1)
      #expect(remove.err.contains("'qvm rm --force box'"), "\(remove.err)")
    }
  }

  @Test func `how a VM ended is told in words, and in JSON by its own name`() async throws {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--name", "box", "demo", "1")
      #expect(try await sandbox.qvm("stop", "--force", "box").status == 0)
      #expect(try await sandbox.qvm("status", "box").out.contains("QEMU was told to quit"))
      let outcome = try await sandbox.status("box")["lastOutcome"]
      #expect(outcome?["reason"]?.string == "host-qmp-quit")
    }
  }
}
