import Foundation
import QMPClient
import QVMControl
import TestSupport
import Testing

/// From the background to the foreground, and back.
@Suite(.timeLimit(.minutes(15))) struct AttachTests {
  private func attach(_ name: String, in sandbox: Sandbox) throws -> TerminalSession {
    try TerminalSession(try Sandbox.program, ["attach", name], in: sandbox)
  }

  @Test func `a VM in the background comes to the foreground, and Ctrl-C shuts it down`()
    async throws
  {
    try await Sandbox.with { sandbox in
      let run = try await sandbox.qvm("run", "-d", "--rm", "--name", "box", "demo", "1")
      #expect(run.status == 0, "\(run.err)")
      _ = try await sandbox.qvm("wait", "box", "--timeout", "30")
      let first = try attach("box", in: sandbox)
      // What it missed, then what comes.
      try await first.expect("ready")
      try await first.expect("box is running")
      first.type("hello")
      try await first.expect("hello")
      // One at a time, whichever way.
      for words in [["attach", "box"], ["console", "box"]] {
        let second = try await sandbox.qvm(words)
        #expect(second.status == 1)
        #expect(second.reports(ConsoleError.busy(name: "box")), "\(second.err)")
      }
      first.type("\u{1D}d")
      try await first.expect("detached; box keeps running")
      #expect(try await first.end() == 0)
      #expect(first.settings == first.original)
      #expect(try await sandbox.status("box")["phase"]?.string == "running")

      let again = try attach("box", in: sandbox)
      try await again.expect("box is running")
      again.type("\u{3}")
      try await again.expect("box powered off")
      #expect(try await again.end() == 0)
      #expect(again.settings == again.original)
      #expect(try await sandbox.qvm("status", "box").status == 4)
    }
  }

  @Test func `a VM lives no longer than the terminal that it was attached to`() async throws {
    try await Sandbox.with { sandbox in
      for signal in [SIGKILL, SIGHUP] {
        let name = "box\(signal)"
        #expect(try await sandbox.qvm("run", "-d", "--name", name, "demo", "1").status == 0)
        let terminal = try attach(name, in: sandbox)
        try await terminal.expect("\(name) is running")
        if signal == SIGHUP { terminal.hangUp() } else { kill(terminal.pid, signal) }
        _ = try await sandbox.qvm("wait", name, "--for", "stopped", "--timeout", "30")
        #expect(try await sandbox.status(name)["lastOutcome"]?["result"]?.string == "clean")
      }
    }
  }

  @Test func `what is in the foreground, or doesn't run, can't be attached`() async throws {
    try await Sandbox.with { sandbox in
      let run = try TerminalSession(
        try Sandbox.program, ["run", "--name", "box", "demo", "1"], in: sandbox)
      try await run.expect("ready")
      let busy = try await sandbox.qvm("attach", "box")
      #expect(busy.status == 1)
      #expect(busy.reports(ConsoleError.busy(name: "box")), "\(busy.err)")
      run.type("\u{3}")
      #expect(try await run.end() == 0)
      #expect(try await sandbox.qvm("attach", "box").status == 3)
      #expect(try await sandbox.qvm("attach", "none").status == 4)
    }
  }
  @Test func `an attach that was given up doesn't end the VM when it is heard after all`()
    async throws
  {
    try await Sandbox.with { sandbox in
      #expect(try await sandbox.qvm("run", "-d", "--name", "box", "demo", "1").status == 0)
      let supervisor = try #require(sandbox.pids(of: "box").supervisor)
      kill(supervisor, SIGSTOP)
      let attach = try await sandbox.qvm("attach", "box")
      #expect(attach.status == 1)
      #expect(attach.reports(ConsoleError.unreachable(name: "box", why: "")), "\(attach.err)")
      kill(supervisor, SIGCONT)
      // Asked after it, and so answered after what became of it.
      #expect(try await sandbox.status("box")["phase"]?.string == "running")
      #expect(try await sandbox.status("box")["phase"]?.string == "running")
    }
  }
}
