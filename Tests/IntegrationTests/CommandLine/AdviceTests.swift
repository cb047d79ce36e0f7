import QMPClient
import TestSupport
import Testing

/// What qvm tells a user to do next.
@Suite(.timeLimit(.minutes(15))) struct AdviceTests {
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
      #expect(run.err.contains("'qvm exec NAME COMMAND'"))
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
    (["run", "freebsd:14", "openbsd:7.6"], "'qvm matrix'"), (["run", "demo2"], "'qvm run demo 1'"),
    (["run", "freebsd-14.2"], "'qvm run freebsd 14.2'"),
    (["pull", "freebsd-14.2-x86-64"], "'qvm pull freebsd 14.2'"),
    (["run", "freebsd14"], "qvm images --available freebsd"), (["restart", "x"], "qvm start -d"),
    (["exec", "x"], "'qvm exec x uname -a'"), (["delete", "x"], "'qvm rm'"),
    (["run", "--arch", "arm64", "freebsd", "14.2"], "'--platform'"),
    (["config"], "qvm config print-path"), (["run", "ubuntu"], "Use one of freebsd"),
    (["run", "freebsd 14.2"], "'qvm run freebsd 14.2'"),
    (["run", "--memory", "freebsd", "14.2"], "--memory took 'freebsd'"),
    (["run"], "'qvm run freebsd 14.2'"), (["--rm", "run", "demo", "1"], "'qvm run --rm"),
    (["--memory", "1G", "run", "demo", "1"], "'qvm run --memory"), (["-v"], "'--version'"),
    (["rmi", "x"], "'qvm prune'"), (["rm", "--all"], "'$(qvm list -q)'"), (["stop"], "--all"),
    (["ssh"], "'qvm list'"), (["run", "freebsd/14.2"], "'freebsd:14.2'"),
    (["freebsd", "14.2"], "'qvm run freebsd <VERSION>'"), (["stop", "-f", "x"], "'--force'"),
    (["run", "--memory", "32M", "freebsd", "14.2"], "at least 64M"),
    (["exec", "root@box", "id"], "Leave out the user: 'box'"),
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

  @Test func `a name that no instance has is answered by what was meant`() async throws {
    try await Sandbox.with { sandbox in
      let none = try await sandbox.qvm("stop", "box")
      #expect(none.status == 4 && none.err.contains("'qvm run demo 1'"), "\(none.err)")
      _ = try await sandbox.qvm("run", "-d", "--name", "box", "demo", "1")
      for command in ["start", "attach", "console", "ssh", "status", "wait", "logs", "stop", "rm"] {
        let near = try await sandbox.qvm(command, "bix")
        #expect(near.status == 4, "\(command)")
        #expect(near.err.contains("'box'"), "\(command): \(near.err)")
      }
      let system = try await sandbox.qvm("start", "freebsd", "14.2")
      #expect(system.status == 4 && system.err.contains("'qvm run"), "\(system.err)")
      #expect(try await sandbox.qvm("status", "BOX").err.contains("'box'"))
      #expect(try await sandbox.qvm("box", "ssh").err.contains("'qvm status box'"))
      #expect(try await sandbox.qvm("run", "--name", "box").err.contains("'qvm start box'"))
      // It takes names, but none of instances.
      #expect(try await !sandbox.qvm("prune", "-a").err.contains("qvm list"))
      let run = try await sandbox.qvm("run", "box")
      #expect(run.status == 64 && run.err.contains("'qvm start box'"), "\(run.err)")
    }
  }

  @Test func `without a network it is said what the cache can run`() async throws {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(.deaf, as: "haiku-r1beta5-x86-64")
      let image = try await sandbox.qvm("rm", "haiku-r1beta5-x86-64")
      #expect(image.status == 4 && image.err.contains("'qvm prune'"), "\(image.err)")
      let run = try await sandbox.qvm("run", "haiku", "r1beta6")
      #expect(run.status == 1)
      #expect(run.err.contains("'qvm run haiku r1beta5'"), "\(run.err)")
      sandbox.environment["QVM_BASE_URL"] = "http://127.0.0.1:1/x"
      for words in [["run", "haiku", "r1beta6"], ["pull", "haiku", "r1beta6"]] {
        let offline = try await sandbox.qvm(words)
        #expect(offline.status == 1)
        for wanted in ["QVM_BASE_URL", "'qvm run haiku r1beta5'", "'qvm run --rm demo 1'"] {
          #expect(offline.err.contains(wanted), "\(words): \(offline.err)")
        }
      }
      let images = try await sandbox.qvm("images", "--available", "haiku")
      #expect(images.status == 1 && images.out.isEmpty)
      #expect(images.err.contains("QVM_BASE_URL") && images.err.contains("'qvm images'"))
      let prune = try await sandbox.qvm("prune", "haiku")
      #expect(prune.status == 1 && prune.err.contains("'haiku-r1beta5-x86-64'"), "\(prune.err)")
      sandbox.environment["QVM_CACHE"] = "/proc/qvm"
      let nowhere = try await sandbox.qvm("run", "demo", "1")
      #expect(nowhere.status == 1)
      #expect(nowhere.err.contains("/proc/qvm") && nowhere.err.contains("QVM_CACHE"))
    }
  }

  @Test func `stop --all shuts down all that run, and says so if none does`() async throws {
    try await Sandbox.with { sandbox in
      for name in ["one", "two", "third"] {
        _ = try await sandbox.qvm("run", "-d", "--name", name, "demo", "1")
      }
      #expect(try await sandbox.qvm("stop", "third").status == 0)
      let stop = try await sandbox.qvm("stop", "--all")
      #expect(stop.status == 0)
      #expect(stop.err.contains("one") && stop.err.contains("two") && !stop.err.contains("third"))
      for name in ["one", "two"] {
        #expect(try await sandbox.status(name)["phase"]?.string == "stopped")
      }
      let again = try await sandbox.qvm("stop", "-a")
      #expect(again.status == 0 && !again.err.isEmpty)
      #expect(try await sandbox.qvm("stop", "--all", "one").status == 64)
    }
  }

  @Test func `a first run in the foreground says that the instance stays, if it does`() async throws
  {
    try await Sandbox.with { sandbox in
      for (words, stays) in [
        (["run", "--name", "box", "demo", "1"], true), (["start", "box"], false),
        (["run", "--rm", "demo", "1"], false),
        (["run", "-q", "--name", "two", "demo", "1"], false),
      ] {
        let run = try TerminalSession(try Sandbox.program, words, in: sandbox)
        try await run.expect("ready: type")
        run.type("\u{3}")
        if stays { try await run.expect("'qvm rm box'") }
        #expect(try await run.end() == 0)
        #expect(run.text.contains("'qvm rm") == stays, "\(words)")
      }
    }
  }

  @Test func `an interrupted wait ends by the signal, and says that the VM goes on`() async throws {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--name", "box", "demo", "1")
      let wait = try TerminalSession(
        try Sandbox.program, ["wait", "--for", "console:never", "box"], in: sandbox)
      // The first thing that it says is after ten seconds.
      try await wait.expect("still waiting")
      wait.type("\u{3}")
      try await wait.expect("'qvm status box'")
      #expect(try await wait.end() == 130)
      #expect(try await sandbox.status("box")["phase"]?.string == "running")
    }
  }

  @Test func `common spellings are accepted`() async throws {
    try await Sandbox.with { sandbox in
      for name in ["one", "two"] {
        _ = try await sandbox.qvm("run", "-d", "--name", name, "demo", "1")
      }
      #expect(try await sandbox.qvm("list", "-q").out == "one\ntwo\n")
      #expect(try await sandbox.qvm("ps").out.hasPrefix("NAME"))
      #expect(try await sandbox.qvm("ps", "-a", "-q").out == "one\ntwo\n")
      #expect(try await sandbox.qvm("list", "-q", "--json").status == 64)
      #expect(try await sandbox.qvm("rm", "-f", "one", "two").status == 0)
      #expect(try await sandbox.qvm("ps", "-q").out == "")
    }
  }
}
