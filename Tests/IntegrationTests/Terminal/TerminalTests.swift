import Foundation
import QMPClient
import TestSupport
import Testing

/// `qvm run` on a terminal, driven as a person would.
@Suite(.timeLimit(.minutes(15))) struct TerminalTests {
  private func foreground(
    _ words: [String], in sandbox: Sandbox
  ) throws -> TerminalSession {
    try TerminalSession(try Sandbox.program, words, in: sandbox)
  }

  @Test func `the console is shown, typing is echoed, and one Ctrl-C ends the guest cleanly`()
    async throws
  {
    try await Sandbox.with { sandbox in
      let terminal = try foreground(["run", "--rm", "--name", "tty", "demo", "1"], in: sandbox)
      let before = terminal.original
      try await terminal.expect("ready")
      #expect(terminal.settings != before, "keys are not passed on")
      terminal.type("hello there")
      try await terminal.expect("hello there")
      terminal.type("\u{3}")
      try await terminal.expect("shutting tty down")
      try await terminal.expect("tty powered off")
      #expect(try await terminal.end() == 0)
      #expect(terminal.settings == before)
      #expect(try await sandbox.qvm("status", "tty").status == 4)
    }
  }

  @Test func `a second Ctrl-C forces a deaf guest, and the status says so`() async throws {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(.deaf, as: "haiku-r1beta5-x86-64")
      let terminal = try foreground(
        ["run", "--name", "deaf", "--memory", "64M", "haiku", "r1beta5"], in: sandbox)
      let before = terminal.original
      try await terminal.expect("ready")
      terminal.type("\u{3}")
      try await terminal.expect("shutting deaf down")
      #expect(try await sandbox.status("deaf")["phase"]?.string == "stopping")
      terminal.type("\u{3}")
      #expect(try await terminal.end() == 130)
      #expect(terminal.settings == before)
      #expect(try await sandbox.status("deaf")["lastOutcome"]?["result"]?.string == "forced")
    }
  }

  @Test func `a third Ctrl-C kills a QEMU that does not react at all`() async throws {
    try await Sandbox.with { sandbox in
      let terminal = try foreground(["run", "--name", "stuck", "demo", "1"], in: sandbox)
      let before = terminal.original
      try await terminal.expect("ready")
      let qemu = try #require(try await sandbox.status("stuck")["pid"]?.int.map(Int32.init))
      kill(qemu, SIGSTOP)
      for remark in ["shutting", "forcing", "killing"] {
        terminal.type("\u{3}")
        try await terminal.expect(remark)
      }
      #expect(try await terminal.end() == 130)
      #expect(terminal.settings == before)
      #expect(try await sandbox.status("stuck")["lastOutcome"]?["signal"]?.int == 9)
    }
  }

  @Test func `Ctrl-Z stops the command and not the guest, and fg shows what was missed`()
    async throws
  {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(.rebooting, as: "haiku-r1beta5-x86-64")
      let shell = try TerminalSession(
        URL(filePath: "/bin/bash"), ["--norc", "--noediting", "-i"], in: sandbox)
      try await shell.expect("$ ")
      let before = shell.settings
      shell.type("\(try Sandbox.program.path) run --name z --memory 64M haiku r1beta5\n")
      try await shell.expect("SeaBIOS (version")
      shell.type("\u{1A}")
      try await shell.expect("Stopped")
      try await shell.expect("$ ")
      #expect(shell.settings == before)
      let console = sandbox.cache.appending(path: "instances/z/console.log")
      let size = { try FileManager.default.attributesOfItem(atPath: console.path)[.size] as? Int }
      let stopped = try #require(try size())
      try await eventually("the guest writes on") { (try size() ?? 0) > stopped + 100 }
      #expect(try await sandbox.status("z")["runState"]?.string == "running")
      shell.type("fg\n")
      try await shell.expect("SeaBIOS (version")
      shell.type("\u{3}")
      try await shell.expect("shutting z down")
      shell.type("\u{3}")
      try await shell.expect("$ ")
      shell.type("exit\n")
      _ = try await shell.end()
    }
  }

  @Test func `the escape key sends Ctrl-C to the guest, shows its help, and detaches`()
    async throws
  {
    try await Sandbox.with { sandbox in
      let terminal = try foreground(["run", "--name", "esc", "demo", "1"], in: sandbox)
      let before = terminal.original
      try await terminal.expect("ready")
      terminal.type("\u{1D}?")
      try await terminal.expect("Ctrl-] d")
      terminal.type("\u{1D}c")
      terminal.type("\u{1D}d")
      try await terminal.expect("detached")
      #expect(try await terminal.end() == 0)
      #expect(terminal.settings == before)
      #expect(try await sandbox.status("esc")["phase"]?.string == "running")
      let console = try Data(
        contentsOf: sandbox.cache.appending(path: "instances/esc/console.log"))
      #expect(console.contains(3), "the guest did not echo the Ctrl-C")
    }
  }

  @Test(arguments: [("ctrl-a", "\u{1}", "Ctrl-A"), ("ctrl-z", "\u{1A}", "Ctrl-Z")])
  func `another escape key takes the place of Ctrl-], for run and console`(
    word: String, key: String, title: String
  ) async throws {
    try await Sandbox.with { sandbox in
      let run = try foreground(
        ["run", "--escape", word, "--name", "box", "demo", "1"], in: sandbox)
      try await run.expect("\(title) ? for keys")
      try await run.expect("ready")
      run.type("a\u{1D}db\(key)\(key)c")
      try await eventually("the guest has it") {
        try await sandbox.qvm("logs", "box").out.contains("a\u{1D}db\(key)c")
      }
      run.type("\(key)?")
      try await run.expect("\(title) d")
      run.type("\(key)d")
      #expect(try await run.end() == 0)
      #expect(run.settings == run.original)

      sandbox.environment["QVM_ESCAPE"] = word
      let console = try TerminalSession(try Sandbox.program, ["console", "box"], in: sandbox)
      try await console.expect("\(title) d detaches")
      console.type("\(key)d")
      #expect(try await console.end() == 0)
      let attached = try TerminalSession(
        try Sandbox.program, ["attach", "--escape", "none", "box"], in: sandbox)
      try await attached.expect("box is running")
      attached.type("\u{1D}?e")
      try await eventually("the guest has it") {
        try await sandbox.qvm("logs", "box").out.hasSuffix("\u{1D}?e")
      }
      attached.type("\u{3}")
      #expect(try await attached.end() == 0)
      for command in [["start"], ["console"], ["attach"]] {
        let bad = try await sandbox.qvm(command + ["--escape", "ctrl-5", "box"])
        #expect(bad.status == 64)
        #expect(bad.err.contains("'ctrl-5'"), "\(bad.err)")
      }
    }
  }

  @Test(arguments: [SIGTERM, SIGHUP, SIGINT])
  func `a signal to the command shuts the guest down`(signal: Int32) async throws {
    try await Sandbox.with { sandbox in
      let terminal = try foreground(["run", "--rm", "--name", "sig", "demo", "1"], in: sandbox)
      let before = terminal.original
      try await terminal.expect("ready")
      kill(terminal.pid, signal)
      #expect(try await terminal.end() == 0)
      #expect(terminal.settings == before)
      #expect(try await sandbox.qvm("status", "sig").status == 4)
    }
  }

  @Test func `a command that is killed takes its guest down in an orderly way`() async throws {
    try await Sandbox.with { sandbox in
      let terminal = try foreground(["run", "--name", "lease", "demo", "1"], in: sandbox)
      try await terminal.expect("ready")
      kill(terminal.pid, SIGKILL)
      _ = try await terminal.end()
      _ = try await sandbox.qvm("wait", "lease", "--for", "stopped", "--timeout", "30")
      #expect(try await sandbox.status("lease")["lastOutcome"]?["result"]?.string == "clean")
    }
  }

  @Test func `a reader that stops reading neither holds up the guest nor hides Ctrl-C`()
    async throws
  {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(.rebooting, as: "haiku-r1beta5-x86-64")
      // The reader takes one line, and then nothing more without going away.
      let program = try Sandbox.program.path
      let script = """
        ('\(program)' run --name full --memory 64M haiku r1beta5 & echo $! >'\(sandbox.folder.path)/pid'; wait) |
        (read line; exec sleep 60)
        """
      let shell = try sandbox.start(URL(filePath: "/bin/bash"), ["-c", script])
      let console = sandbox.cache.appending(path: "instances/full/console.log").path
      func size() -> Int {
        (try? FileManager.default.attributesOfItem(atPath: console)[.size] as? Int) ?? 0
      }
      // More than a pipe holds.
      try await eventually("the guest writes on") { size() > 3000 }
      let pid = try #require(
        Int32(
          try String(contentsOf: sandbox.folder.appending(path: "pid"), encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)))
      kill(pid, SIGHUP)
      try await eventually("it is asked to power off") {
        try await sandbox.status("full")["phase"]?.string == "stopping"
      }
      kill(pid, SIGTERM)
      _ = try await sandbox.qvm("wait", "full", "--for", "stopped", "--timeout", "30")
      #expect(try await sandbox.status("full")["lastOutcome"]?["result"]?.string == "forced")
      for process in sandbox.processes { kill(process.pid, SIGKILL) }
      _ = try await shell.end()
    }
  }

  @Test func `a terminal that is closed ends the guest by its power button`() async throws {
    try await Sandbox.with { sandbox in
      let shell = try TerminalSession(
        URL(filePath: "/bin/bash"), ["--norc", "--noediting", "-i"], in: sandbox)
      try await shell.expect("$ ")
      shell.type("\(try Sandbox.program.path) run --name closed demo 1\n")
      try await shell.expect("ready")
      shell.hangUp()
      _ = try await sandbox.qvm("wait", "closed", "--for", "stopped", "--timeout", "30")
      let outcome = try await sandbox.status("closed")["lastOutcome"]
      #expect(outcome?["result"]?.string == "clean")
      #expect(outcome?["rung"]?.string == "powerdown")
    }
  }
}
