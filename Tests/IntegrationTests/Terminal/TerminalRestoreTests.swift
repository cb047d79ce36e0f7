import Foundation
import QMPClient
import TestSupport
import Testing

/// However a command ends, its terminal is as it was.
@Suite(.timeLimit(.minutes(15))) struct TerminalRestoreTests {
  /// Without the runtime's own report of a crash, which waits for a key.
  private static let quietly = ["SWIFT_BACKTRACE": "enable=no"]
  private static let crashes = [SIGABRT, SIGSEGV, SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGUSR1]

  private func bash(in sandbox: Sandbox) async throws -> TerminalSession {
    let shell = try TerminalSession(
      URL(filePath: "/bin/bash"), ["--norc", "--noediting", "-i"], in: sandbox,
      environment: Self.quietly)
    try await shell.expect("$ ")
    return shell
  }

  @Test func `a console that is ended by any signal gives the terminal back, and the VM runs on`()
    async throws
  {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--name", "box", "demo", "1")
      for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] + Self.crashes {
        let terminal = try TerminalSession(
          try Sandbox.program, ["console", "box"], in: sandbox, environment: Self.quietly)
        let before = terminal.original
        try await terminal.expect("attached to box")
        try await eventually("keys are passed on") { terminal.settings != before }
        kill(terminal.pid, signal)
        let status = try await terminal.end()
        #expect(status == (Self.crashes.contains(signal) ? 128 + signal : 130))
        #expect(terminal.settings == before, "after signal \(signal)")
      }
      #expect(try await sandbox.status("box")["runState"]?.string == "running")
    }
  }

  @Test func `a run that crashes gives the terminal back, and its guest is shut down`()
    async throws
  {
    try await Sandbox.with { sandbox in
      for signal in [SIGABRT, SIGSEGV] {
        let name = "crash\(signal)"
        let terminal = try TerminalSession(
          try Sandbox.program, ["run", "--name", name, "demo", "1"], in: sandbox,
          environment: Self.quietly)
        let before = terminal.original
        try await terminal.expect("ready")
        kill(terminal.pid, signal)
        #expect(try await terminal.end() == 128 + signal)
        #expect(terminal.settings == before, "after signal \(signal)")
        _ = try await sandbox.qvm("wait", name, "--for", "stopped", "--timeout", "30")
        #expect(try await sandbox.status(name)["lastOutcome"]?["result"]?.string == "clean")
      }
    }
  }

  @Test func `a shell's loop ends with a run that was forced to end by Ctrl-C`() async throws {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(.deaf, as: "haiku-r1beta5-x86-64")
      let shell = try await bash(in: sandbox)
      let program = try Sandbox.program.path
      shell.type(
        "for i in 1 2; do '\(program)' run --name l$i --memory 64M haiku r1beta5; done;"
          + " echo went on; true\n")
      try await shell.expect("l1 is running")
      shell.type("\u{3}")
      try await shell.expect("shutting l1 down")
      shell.type("\u{3}")
      try await shell.expect("l1 was forced to stop")
      try await shell.expect("$ ")
      shell.type("echo status $?\n")
      try await shell.expect("status 130")
      #expect(!shell.text.contains("l2 is running"))
      shell.type("exit\n")
      _ = try await shell.end()
      #expect(!sandbox.exists("l2"))
    }
  }

  @Test func `the shell gets every key after a run was killed on it`() async throws {
    try await Sandbox.with { sandbox in
      let shell = try await bash(in: sandbox)
      let before = shell.settings
      shell.type("\(try Sandbox.program.path) run --name killed demo 1\n")
      try await shell.expect("ready")
      let client = try #require(sandbox.processes.first { $0.command.contains(" run --name") })
      kill(client.pid, SIGKILL)
      try await shell.expect("Killed")
      try await shell.expect("$ ")
      // Bash puts its own settings back; what qvm must not leave is a reader or O_NONBLOCK.
      #expect(shell.settings == before)
      let keys = String(repeating: "0123456789", count: 4)
      shell.type("printf '<%s>' \(keys)\n")
      try await shell.expect("<\(keys)>")
      _ = try await sandbox.qvm("wait", "killed", "--for", "stopped", "--timeout", "30")
      #expect(try await sandbox.status("killed")["lastOutcome"]?["result"]?.string == "clean")
      shell.type("exit\n")
      _ = try await shell.end()
    }
  }

  @Test func `a run that is ended while it is stopped leaves the shell's terminal alone`()
    async throws
  {
    try await Sandbox.with { sandbox in
      let shell = try await bash(in: sandbox)
      let before = shell.settings
      for (name, signal) in [("asked", "TERM"), ("killed", "KILL"), ("crashed", "SEGV")] {
        shell.type("\(try Sandbox.program.path) run --name \(name) demo 1\n")
        try await shell.expect("ready")
        shell.type("\u{1A}")
        try await shell.expect("Stopped")
        try await shell.expect("$ ")
        shell.type("kill -\(signal) %1; kill -CONT %1; wait; echo over $((1 + 1))\n")
        try await shell.expect("over 2")
        try await shell.expect("$ ")
        #expect(shell.settings == before, "after SIG\(signal)")
        _ = try await sandbox.qvm("wait", name, "--for", "stopped", "--timeout", "30")
        #expect(try await sandbox.status(name)["lastOutcome"]?["result"]?.string == "clean")
      }
      shell.type("exit\n")
      _ = try await shell.end()
    }
  }

  @Test func `a run goes to the background and comes back with its keys`() async throws {
    try await Sandbox.with { sandbox in
      let shell = try await bash(in: sandbox)
      let before = shell.settings
      shell.type("\(try Sandbox.program.path) run --name job demo 1\n")
      try await shell.expect("ready")
      shell.type("\u{1A}")
      try await shell.expect("Stopped")
      shell.type("bg\n")
      try await shell.expect("$ ")
      shell.type("echo shell $((1 + 1))\n")
      try await shell.expect("shell 2")
      #expect(shell.settings == before)
      shell.type("fg\n")
      try await eventually("keys are passed on") { shell.settings != before }
      shell.type("guest")
      try await shell.expect("guest")
      shell.type("\u{3}")
      try await shell.expect("job powered off")
      try await shell.expect("$ ")
      #expect(shell.settings == before)
      shell.type("exit\n")
      _ = try await shell.end()
    }
  }

  @Test func `Ctrl-Z does nothing where no shell could continue`() async throws {
    try await Sandbox.with { sandbox in
      let terminal = try TerminalSession(
        try Sandbox.program, ["run", "--name", "alone", "demo", "1"], in: sandbox)
      try await terminal.expect("ready")
      terminal.type("\u{1A}")
      terminal.type("\u{3}")
      try await terminal.expect("alone powered off")
      #expect(try await terminal.end() == 0)
    }
  }

  @Test func `the quit key forces at once and leaves no core`() async throws {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(.deaf, as: "haiku-r1beta5-x86-64")
      let terminal = try TerminalSession(
        try Sandbox.program,
        ["run", "--name", "quit", "--memory", "64M", "haiku", "r1beta5"], in: sandbox)
      let before = terminal.original
      try await terminal.expect("ready")
      terminal.type("\u{1C}")
      try await terminal.expect("forcing quit")
      #expect(try await terminal.end() == 130)
      #expect(terminal.settings == before)
      let outcome = try await sandbox.status("quit")["lastOutcome"]
      #expect(outcome?["result"]?.string == "forced")
      #expect(outcome?["rung"]?.string == "quit")
    }
  }
}
