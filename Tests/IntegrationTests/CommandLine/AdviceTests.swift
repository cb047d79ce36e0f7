import QMPClient
import TestSupport
import Testing

/// What qvm tells a user to do next.
@Suite(.timeLimit(.minutes(10))) struct AdviceTests {
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

  @Test func `a detached start says what to do next, unless it is to be quiet`() async throws {
    try await Sandbox.with { sandbox in
      let run = try await sandbox.qvm("run", "-d", "--name", "box", "demo", "1")
      #expect(run.out == "box\n")
      #expect(run.err.contains("'qvm attach box'") && run.err.contains("'qvm stop box'"))
      // The demo guest has no server for it.
      #expect(!run.err.contains("qvm ssh"))
      #expect(try await !sandbox.qvm("status", "box").out.contains("ssh"))
      let quiet = try await sandbox.qvm("run", "-d", "-q", "--name", "two", "demo", "1")
      #expect(quiet.out == "two\n")
      #expect(quiet.err.isEmpty)
    }
  }

  @Test func `a command for a detached start is refused, with the way to run it`() async throws {
    try await Sandbox.with { sandbox in
      let run = try await sandbox.qvm("run", "-d", "freebsd", "14.2", "--", "id")
      #expect(run.status == 64)
      #expect(run.err.contains("'qvm ssh NAME -- COMMAND'"))
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

  @Test(arguments: [
    (["run", "freebsd"], "qvm images --available freebsd"), (["run", "demo"], "'qvm run demo 1'"),
    (["run", "freebsd-14.2"], "'qvm run freebsd 14.2'"),
    (["pull", "freebsd-14.2-x86-64"], "'qvm pull freebsd 14.2'"),
    (["run", "freebsd14"], "qvm images --available freebsd"), (["restart", "x"], "qvm start -d"),
    (["exec", "x"], "qvm ssh <NAME> -- <COMMAND>"), (["delete", "x"], "'qvm rm'"),
    (["run", "--arch", "arm64", "freebsd", "14.2"], "'--platform'"),
    (["config"], "qvm config print-path"),
  ])
  func `words that are meant for something else say what for`(
    words: [String], says: String
  ) async throws {
    try await Sandbox.with { sandbox in
      let result = try await sandbox.qvm(words)
      #expect(result.status == 64)
      // The advice comes at once after the one message; only where to read more comes after it.
      let lines = result.err.split(separator: "\n")
      let messages = lines.indices.filter { lines[$0].hasPrefix("qvm: ") }
      #expect(messages.count == 1, "\(result.err)")
      let rest = lines[(try #require(messages.last) + 1)...]
      #expect(rest.first?.contains(says) == true, "\(result.err)")
      let isRest = rest.dropFirst().map(\.self).allSatisfy { line in
        ["     Usage: ", "     See "].contains { line.hasPrefix($0) }
      }
      #expect(isRest, "\(result.err)")
    }
  }

  @Test func `common spellings are accepted`() async throws {
    try await Sandbox.with { sandbox in
      for name in ["one", "two"] {
        _ = try await sandbox.qvm("run", "-d", "--name", name, "demo", "1")
      }
      #expect(try await sandbox.qvm("list", "-q").out == "one\ntwo\n")
      #expect(try await sandbox.qvm("ps").out.hasPrefix("NAME"))
      #expect(try await sandbox.qvm("list", "-q", "--json").status == 64)
      #expect(try await sandbox.qvm("rm", "-f", "one", "two").status == 0)
      #expect(try await sandbox.qvm("ps", "-q").out == "")
    }
  }
}
