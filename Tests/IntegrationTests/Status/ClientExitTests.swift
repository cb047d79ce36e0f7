import Foundation
import QMPClient
import QVMControl
import TestSupport
import Testing

/// Commands that look at a VM, wait for it or talk to it may end at any time: the VM is not theirs.
@Suite(.timeLimit(.minutes(15))) struct ClientExitTests {
  private static let waiting = [
    ["wait", "box", "--for", "console:never shown"], ["wait", "box", "--for", "stopped"],
    ["logs", "-f", "box"], ["console", "box"],
  ]

  @Test func `onlookers end at once when they are told to, and the VM runs on`() async throws {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--name", "box", "demo", "1")
      _ = try await sandbox.qvm("wait", "box", "--timeout", "30")
      for words in Self.waiting {
        for signal in [SIGINT, SIGTERM, SIGHUP] {
          let command = try sandbox.start(try Sandbox.program, words)
          try await isUp(command, words)
          command.signal(signal)
          let expected = words[0] == "console" ? 130 : 128 + signal
          #expect(try await command.end(within: .seconds(5)).status == expected, "\(words)")
        }
        // Ctrl-C and a closed terminal; on an attached console every key is the guest's.
        let terminal = try TerminalSession(try Sandbox.program, words, in: sandbox)
        let before = terminal.original
        if ["logs", "console"].contains(words[0]) { try await terminal.expect("ready") }
        if words[0] == "console" {
          try await terminal.expect("attached")
        } else {
          terminal.type("\u{3}")
          #expect(try await terminal.end(within: .seconds(5)) == 130, "\(words)")
          #expect(terminal.settings == before)
        }
        let closed =
          words[0] == "console"
          ? terminal : try TerminalSession(try Sandbox.program, words, in: sandbox)
        closed.hangUp()
        _ = try await closed.end(within: .seconds(5))
      }
      let status = try await sandbox.status("box")
      #expect(status["runState"]?.string == "running")
      #expect(status["phase"]?.string == "running")
      #expect(sandbox.processes.count == 2)
    }
  }

  /// Waits until a command does what it does; what waits silently has opened the lock by then.
  private func isUp(_ command: RunningCommand, _ words: [String]) async throws {
    try await eventually("\(words) is up") {
      if words[0] != "wait" { return command.output.out.contains("ready") }
      let files = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(command.pid)/fd")
      return files.contains { file in
        let path = "/proc/\(command.pid)/fd/\(file)"
        return (try? FileManager.default.destinationOfSymbolicLink(atPath: path))?
          .hasSuffix("vm.lock") == true
      }
    }
  }

  @Test func `a stop that was asked for goes on without the command`() async throws {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(.deaf, as: "haiku-r1beta5-x86-64")
      let run = try await sandbox.qvm(
        "run", "-d", "--name", "deaf", "--memory", "64M", "haiku", "r1beta5")
      #expect(run.status == 0, "\(run.err)")
      _ = try await sandbox.qvm("wait", "deaf", "--for", "console:ready", "--timeout", "30")
      let terminal = try TerminalSession(
        try Sandbox.program, ["stop", "--timeout", "3", "deaf"], in: sandbox)
      try await eventually("it is asked") {
        try await sandbox.status("deaf")["phase"]?.string == "stopping"
      }
      terminal.type("\u{3}")
      #expect(try await terminal.end(within: .seconds(2)) == 130)
      #expect(try await sandbox.status("deaf")["phase"]?.string == "stopping")
      _ = try await sandbox.qvm("wait", "deaf", "--for", "stopped", "--timeout", "30")
      let outcome = try await sandbox.status("deaf")["lastOutcome"]
      #expect(outcome?["result"]?.string == "forced")
      #expect(outcome?["rung"]?.string == "quit")
    }
  }

  @Test func `ssh is the ssh program itself, with the terminal's signals and none ignored`()
    async throws
  {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(.demo, as: "haiku-r1beta5-x86-64")
      let tools = sandbox.folder.appending(path: "tools")
      try FileManager.default.createDirectory(at: tools, withIntermediateDirectories: true)
      let ssh = tools.appending(path: "ssh")
      // Beyond 31 are the C library's own.
      let script = """
        #!/bin/sh
        [ "$1" != -V ] || exit 0
        set -- $(grep SigIgn /proc/self/status)
        echo "ignored: $((0x$2 & 0x7fffffff))"
        exec sleep 60
        """
      try Data(script.utf8).write(to: ssh)
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: ssh.path)
      sandbox.environment["PATH"] = "\(tools.path):\(sandbox.environment["PATH"] ?? "")"
      _ = try await sandbox.qvm(
        "run", "-d", "--name", "box", "--memory", "64M", "haiku", "r1beta5")
      // This guest has no ssh server that greets.
      let files = InstanceFiles(folder: sandbox.folder(of: "box").path)
      try BlockingControlClient(.of(files), boot: nil).send(.ready)
      let terminal = try TerminalSession(try Sandbox.program, ["ssh", "box"], in: sandbox)
      let before = terminal.original
      try await terminal.expect("ignored: 0")
      terminal.type("\u{3}")
      #expect(try await terminal.end(within: .seconds(5)) == 130)
      #expect(terminal.settings == before)
      #expect(try await sandbox.status("box")["phase"]?.string == "running")
    }
  }

  @Test func `a run is detached from, attached to again, by one at a time, and detached again`()
    async throws
  {
    try await Sandbox.with { sandbox in
      let run = try TerminalSession(
        try Sandbox.program, ["run", "--name", "box", "demo", "1"], in: sandbox)
      try await run.expect("ready")
      run.type("\u{1D}d")
      try await run.expect("detached; box keeps running")
      #expect(try await run.end() == 0)
      for round in 1...2 {
        let console = try TerminalSession(try Sandbox.program, ["console", "box"], in: sandbox)
        let before = console.original
        try await console.expect("attached to box")
        console.type("round \(round)")
        try await console.expect("round \(round)")
        let second = try await sandbox.qvm("console", "box")
        #expect(second.status == 1)
        #expect(second.reports(ConsoleError.busy(name: "box")))
        #expect(second.err.contains("logs -f box"))
        console.type("\u{1D}d")
        try await console.expect("detached; box keeps running")
        #expect(try await console.end() == 0)
        #expect(console.settings == before)
      }
      #expect(try await sandbox.status("box")["phase"]?.string == "running")
      #expect(try await sandbox.qvm("stop", "box").status == 0)
    }
  }
}
