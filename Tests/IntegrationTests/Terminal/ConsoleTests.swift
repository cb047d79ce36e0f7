import Foundation
import QMPClient
@testable import QVMControl
import TestSupport
import Testing

/// `console`, `logs` and `start`: what one does with a VM that runs in the background.
@Suite(.timeLimit(.minutes(15))) struct ConsoleTests {
  @Test func `a console is attached and detached, and every key goes to the guest`() async throws {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--name", "box", "demo", "1")
      _ = try await sandbox.qvm("wait", "box", "--timeout", "30")
      let terminal = try TerminalSession(try Sandbox.program, ["console", "box"], in: sandbox)
      let before = terminal.original
      try await terminal.expect("ready")
      try await terminal.expect("attached to box")
      terminal.type("typed here")
      try await terminal.expect("typed here")
      terminal.type("\u{3}\u{1A}still here")
      try await terminal.expect("still here")
      terminal.type("\u{1D}d")
      try await terminal.expect("detached")
      #expect(try await terminal.end() == 0)
      #expect(terminal.settings == before)
      #expect(try await sandbox.status("box")["phase"]?.string == "running")
      let log = try await sandbox.qvm("logs", "box")
      #expect(log.out.contains("typed here"))
      #expect(log.out.utf8.contains(3), "the guest did not get the Ctrl-C")
    }
  }

  @Test(arguments: ["console", "attach"])
  func `only what the current boot has written is shown again`(command: String) async throws {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--name", "box", "demo", "1")
      _ = try await sandbox.qvm("wait", "box", "--timeout", "30")
      _ = try await sandbox.qvm("stop", "box")
      #expect(try await sandbox.qvm("logs", "box").out.contains("powering off"))
      _ = try await sandbox.qvm("start", "-d", "box")
      _ = try await sandbox.qvm("wait", "box", "--timeout", "30")
      let terminal = try TerminalSession(try Sandbox.program, [command, "box"], in: sandbox)
      try await terminal.expect("ready: type")
      try await terminal.expect(command == "attach" ? "box is running" : "attached to box")
      #expect(!terminal.text.contains("powering off"))
      terminal.type("\u{1D}d")
      #expect(try await terminal.end() == 0)
    }
  }

  @Test func `a console that is in use is refused`() async throws {
    try await Sandbox.with { sandbox in
      let first = try TerminalSession(
        try Sandbox.program, ["run", "--name", "held", "demo", "1"], in: sandbox)
      try await first.expect("ready")
      let second = try await sandbox.qvm("console", "held")
      #expect(second.status == 1)
      #expect(second.reports(ConsoleError.busy(name: "held")))
      first.type("\u{1D}d")
      _ = try await first.end()
      let third = try TerminalSession(try Sandbox.program, ["console", "held"], in: sandbox)
      try await third.expect("attached to held")
      // The console ends with its VM.
      _ = try await sandbox.qvm("stop", "held")
      try await third.expect("the console of held was closed")
      #expect(try await third.end() == 0)
    }
  }

  @Test func `logs that are followed end with the VM, complete`() async throws {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--name", "logged", "demo", "1")
      let logs = try sandbox.start("logs", "-f", "logged")
      _ = try await sandbox.qvm("wait", "logged", "--timeout", "30")
      try await eventually("the banner is shown") { logs.output.out.contains("ready") }
      _ = try await sandbox.qvm("stop", "logged")
      let result = try await logs.end(within: .seconds(20))
      #expect(result.status == 0)
      #expect(result.out.contains("powering off"))
      let kept = try await sandbox.qvm("logs", "logged")
      #expect(kept.out == result.out)
    }
  }

  @Test func `a log is shown by its last lines and by its boots`() async throws {
    try await Sandbox.with { sandbox in
      #expect(try await sandbox.qvm("run", "-d", "--name", "box", "demo", "1").status == 0)
      for boot in 1...3 {
        if boot > 1 { #expect(try await sandbox.qvm("start", "-d", "box").status == 0) }
        _ = try await sandbox.qvm("wait", "box", "--timeout", "30")
        #expect(try await sandbox.qvm("stop", boot == 2 ? "--force" : "box", "box").status == 0)
      }
      let all = try await sandbox.qvm("logs", "box").out
      var parts: [String] = []
      for boot in 1...3 {
        let part = try await sandbox.qvm("logs", "--boot=\(boot)", "box")
        #expect(part.status == 0, "\(part.err)")
        #expect(part.out.components(separatedBy: "SeaBIOS").count == 2, "\(part.out)")
        #expect(part.out.contains("powering off") == (boot != 2), "boot \(boot)")
        #expect(try await sandbox.qvm("logs", "--boot", "\(boot - 3)", "box").out == part.out)
        parts.append(part.out)
      }
      #expect(parts.joined() == all)
      #expect(try await sandbox.qvm("logs", "box", "--boot").out == parts[2])
      let lines = Array(all.utf8).split(separator: 0x0A, omittingEmptySubsequences: false)
      let last = String(decoding: Array(lines.suffix(3).joined(separator: [0x0A])), as: UTF8.self)
      #expect(try await sandbox.qvm("logs", "-n", "2", "box").out == last)
      #expect(
        try await sandbox.qvm("logs", "box", "--boot", "--tail", "2", "-f").out == last)
      let none = try await sandbox.qvm("logs", "box", "--boot", "-3")
      #expect(none.status == 1)
      #expect(none.reports(ConsoleBoots.Missing(name: "box", boot: -3, kept: 1...3)), "\(none.err)")
      for words in [
        ["--boot", "-1", "-f"], ["--boot", "--qemu"], ["--tail", "-1"], ["-n", "x"],
      ] {
        #expect(try await sandbox.qvm(["logs", "box"] + words).status == 64, "\(words)")
      }
    }
  }

  @Test func `an instance starts again with the options that it was created with`() async throws {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm(
        "run", "-d", "--name", "same", "--memory", "80M", "--cpus", "2",
        "--shutdown-timeout", "77", "demo", "1")
      _ = try await sandbox.qvm("stop", "--force", "same")
      let start = try await sandbox.qvm("start", "-d", "same")
      #expect(start.status == 0, "\(start.err)")
      let pid = try #require(try await sandbox.status("same")["pid"]?.int)
      let line = try String(contentsOfFile: "/proc/\(pid)/cmdline", encoding: .utf8)
      #expect(line.contains("-m\0" + "80M\0"))
      #expect(line.contains("-smp\0" + "2\0"))
      let boot = sandbox.cache.appending(path: "instances/same/boot.json")
      #expect(try String(contentsOf: boot, encoding: .utf8).contains(#""shutdownTimeout":77"#))
      let again = try await sandbox.qvm("start", "-d", "same")
      #expect(again.status == 1)
      #expect(again.reports(try await sandbox.running("same", "start")))
    }
  }

  @Test func `what isn't running has no console, and ssh says why it can't`() async throws {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--name", "off", "demo", "1")
      #expect(try await sandbox.qvm("ssh", "off").reports(SSHError.noServer(name: "off")))
      _ = try await sandbox.qvm("stop", "--force", "off")
      #expect(try await sandbox.qvm("console", "off").status == 3)
      #expect(try await sandbox.qvm("ssh", "off").status == 3)
    }
  }
}
