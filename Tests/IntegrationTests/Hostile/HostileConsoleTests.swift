import Foundation
import QMPClient
import TestSupport
import Testing

/// A guest that writes what a terminal obeys: the demo guest, which echoes what is typed.
@Suite(.timeLimit(.minutes(15))) struct HostileConsoleTests {
  private static let farewell = "\u{1B}[?1049l\u{1B}[?2004l\u{1B}[?1002l\u{1B}[?25h"
  /// A hidden cursor, the mouse, pasting, the alternate screen, a colour.
  private static let modes = "\u{1B}[?25l\u{1B}[?1002h\u{1B}[?2004h\u{1B}[?1049h\u{1B}[31m"

  private func bash(in sandbox: Sandbox) async throws -> TerminalSession {
    let shell = try TerminalSession(
      URL(filePath: "/bin/bash"), ["--norc", "--noediting", "-i"], in: sandbox,
      environment: ["SWIFT_BACKTRACE": "enable=no"])
    try await shell.expect("$ ")
    return shell
  }

  @Test func `a firmware's reset leaves the lines above, and its modes end with the session`()
    async throws
  {
    try await Sandbox.with { sandbox in
      let terminal = try TerminalSession(
        try Sandbox.program, ["run", "--rm", "--name", "box", "demo", "1"], in: sandbox)
      try await terminal.expect("ready")
      // SeaBIOS switches the wrapping of long lines off.
      #expect(terminal.text.contains("\u{1B}[?7l"))
      terminal.type("\u{3}")
      try await terminal.expect("box powered off")
      #expect(try await terminal.end() == 0)
      let text = terminal.text
      #expect(!text.contains("\u{1B}c"), "a full reset")
      #expect(!text.contains("\u{1B}[2J"), "a cleared screen")
      let (off, on) = (text.range(of: "\u{1B}[?7l"), text.range(of: "\u{1B}[?7h\rqvm: box powered"))
      #expect(off != nil)
      #expect(on != nil || text.contains("\u{1B}[?7hqvm: box powered"), "\(text.debugDescription)")
    }
  }

  @Test func `what a guest says reaches the screen and nothing else`() async throws {
    try await Sandbox.with { sandbox in
      let terminal = try TerminalSession(
        try Sandbox.program, ["run", "--name", "box", "demo", "1"], in: sandbox)
      try await terminal.expect("ready")
      terminal.type(
        "<\u{1B}]52;c;aGk=\u{7}\u{1B}]0;title\u{1B}\\\u{1B}Pq\u{1B}\\\u{1B}[21t\u{1B}[32mgreen>")
      try await terminal.expect("<\u{1B}[32mgreen>")
      // The terminal's answer is typed, and the guest's.
      terminal.type("\u{1B}[6n")
      try await terminal.expect("\u{1B}[6n")
      terminal.type("\u{1B}[5;5R|")
      try await terminal.expect("|")
      terminal.type("\u{1D}d")
      try await terminal.expect("detached")
      #expect(try await terminal.end() == 0)
      for kept in ["]52", "]0;", "title", "\u{1B}P", "[21t"] {
        #expect(!terminal.text.contains(kept), "\(kept)")
      }
      let log = try await sandbox.qvm("logs", "box")
      #expect(log.out.contains("\u{1B}]52;c;aGk=\u{7}"))
      #expect(log.out.contains("\u{1B}[5;5R"), "the guest did not get the answer")

      // Its past asks nothing.
      for words in [["console", "box"], ["attach", "box"]] {
        let later = try TerminalSession(try Sandbox.program, words, in: sandbox)
        try await later.expect("<green>")
        try await later.expect("qvm: ")
        later.type("\u{1D}d")
        try await later.expect("detached")
        #expect(try await later.end() == 0)
        #expect(!later.text.contains("\u{1B}"), "\(later.text.debugDescription)")
      }
    }
  }

  @Test func `what a guest switched is switched back when it is left, stopped or crashed`()
    async throws
  {
    try await Sandbox.with { sandbox in
      let shell = try await bash(in: sandbox)
      let program = try Sandbox.program.path
      shell.type("\(program) run --name box demo 1\n")
      try await shell.expect("ready")
      shell.type(Self.modes)
      try await shell.expect(Self.modes)
      shell.type("\u{1A}")
      try await shell.expect(Self.farewell)
      try await shell.expect("Stopped")
      try await shell.expect("$ ")
      shell.type("fg\n")
      // As the guest has it again.
      try await shell.expect("\u{1B}[?25l\u{1B}[?1002h\u{1B}[?2004h\u{1B}[?1049h")
      shell.type("\u{1D}d")
      try await shell.expect(Self.farewell)
      try await shell.expect("detached")
      try await shell.expect("$ ")
      for (signal, how) in [("TERM", ""), ("SEGV", "Segmentation"), ("KILL", "Killed")] {
        shell.type("\(program) console box\n")
        try await shell.expect("attached")
        shell.type(Self.modes)
        try await shell.expect(Self.modes)
        let client = try #require(sandbox.processes.first { $0.command.contains(" console box") })
        kill(client.pid, signal == "TERM" ? SIGTERM : signal == "SEGV" ? SIGSEGV : SIGKILL)
        // Nothing can be done where it is killed.
        if signal != "KILL" { try await shell.expect(Self.farewell, within: .seconds(5)) }
        if !how.isEmpty { try await shell.expect(how) }
        try await shell.expect("$ ")
      }
      shell.type("exit\n")
      _ = try await shell.end()
    }
  }

  @Test func `an answer that the terminal owes the guest doesn't stand at the shell's prompt`()
    async throws
  {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--name", "box", "demo", "1")
      _ = try await sandbox.qvm("wait", "box", "--timeout", "30")
      let shell = try await bash(in: sandbox)
      shell.type("\(try Sandbox.program.path) console box\n")
      try await shell.expect("attached")
      shell.type("\u{1B}[?25l\u{1B}[6n")
      try await shell.expect("\u{1B}[6n")
      shell.type("\u{1D}d")
      try await shell.expect("\u{1B}[?25h")
      shell.type("\u{1B}[5;5R")
      try await shell.expect("detached")
      shell.type("echo $((1 + 1))\n")
      try await shell.expect("2\r\n")
      #expect(!shell.text.contains("5;5R"))
      shell.type("exit\n")
      _ = try await shell.end()
    }
  }

  @Test func `logs are text on a terminal, and bytes elsewhere`() async throws {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--name", "box", "demo", "1")
      _ = try await sandbox.qvm("stop", "--force", "box")
      let folder = sandbox.cache.appending(path: "instances/box")
      let written =
        "\u{1B}c\u{1B}[?7l\u{1B}[2Jone\r\n\u{1B}]0;title\u{7}\u{1B}[31mtwo\u{1B}[6n\r\nlast\r\n"
      for name in ["console.log", "qemu.log"] {
        try Data(written.utf8).write(to: folder.appending(path: name))
      }
      for words in [["logs", "box"], ["logs", "-f", "box"], ["logs", "--qemu", "box"]] {
        let terminal = try TerminalSession(try Sandbox.program, words, in: sandbox)
        try await terminal.expect("last\r\r\n")
        #expect(try await terminal.end() == 0)
        #expect(terminal.text == "one\r\r\ntwo\r\r\nlast\r\r\n", "\(words)")
        #expect(try await sandbox.qvm(words).out == written, "\(words)")
      }
      let raw = try TerminalSession(try Sandbox.program, ["logs", "--raw", "box"], in: sandbox)
      try await raw.expect("last")
      _ = try await raw.end()
      #expect(raw.text.contains("\u{1B}]0;title\u{7}\u{1B}[31mtwo\u{1B}[6n"))
    }
  }

  @Test func `a damaged record does nothing to the terminal`() async throws {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--name", "box", "demo", "1")
      _ = try await sandbox.qvm("stop", "--force", "box")
      let outcome = sandbox.cache.appending(path: "instances/box/outcome.json")
      let text = try String(contentsOf: outcome, encoding: .utf8)
      let changed = text.replacing(
        try Regex(#""reason":"[^"]*""#), with: #""reason":"x\u001b[2J\u009b2J\nbox  running""#)
      #expect(changed != text)
      try Data(changed.replacing(#""forced""#, with: #""crashed""#).utf8).write(to: outcome)
      for words in [
        ["list"], ["status", "box"], ["status", "--json", "box"], ["list", "--json"],
      ] {
        let result = try await sandbox.qvm(words)
        #expect(result.out.contains("[2J"), "\(words): \(result.out)")
        #expect(
          result.out.unicodeScalars.allSatisfy {
            $0 == "\n" || $0.properties.generalCategory != .control
          }, "\(words): \(result.out.debugDescription)")
        #expect(!result.out.contains("\nbox  running"), "\(words): \(result.out)")
      }
      let reason = try await sandbox.status("box")["lastOutcome"]?["reason"]?.string
      #expect(reason == "x\u{1B}[2J\u{9B}2J\nbox  running", "JSON has it as it is")
    }
  }
}
