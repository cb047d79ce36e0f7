import Foundation
import QMPClient
import QVMControl
import TestSupport
import Testing

/// Sockets that are removed while their VM runs.
@Suite(.timeLimit(.minutes(15))) struct VanishedSocketTests {
  /// Boots a VM whose disk takes no sockets, so that they lie in the runtime folder.
  private func bootAway(_ sandbox: Sandbox, _ options: String...) async throws {
    let run = try await sandbox.run(
      try Tool.strace.url,
      [
        "-o", sandbox.folder.appending(path: "strace.log").path, "-e", "trace=bind", "-e",
        "inject=bind:error=EPERM:when=1", try Sandbox.program.path, "run", "-d", "--name", "box",
      ] + options + ["demo", "1"])
    #expect(run.status == 0, "\(run.err)")
    #expect(try sockets(sandbox).count == 3)
    #expect(try await sandbox.qvm("wait", "box", "--timeout", "30").status == 0)
  }

  private func sockets(_ sandbox: Sandbox) throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: sandbox.runtime.path)
      .filter { $0.hasSuffix(".sock") }
  }

  private func removeRuntimeFolder(_ sandbox: Sandbox) throws {
    try FileManager.default.removeItem(at: sandbox.runtime.appending(path: "qvm"))
  }

  private func bootBeside(_ sandbox: Sandbox) async throws {
    #expect(try await sandbox.qvm("run", "-d", "--name", "box", "demo", "1").status == 0)
    #expect(try await sandbox.qvm("wait", "box", "--timeout", "30").status == 0)
  }

  private func removeSockets(_ sandbox: Sandbox) throws {
    for name in ["monitor.sock", "console.sock", "control.sock"] {
      try FileManager.default.removeItem(at: sandbox.folder(of: "box").appending(path: name))
    }
  }

  @Test func `every command finds a VM whose folder of sockets was removed`() async throws {
    try await Sandbox.with { sandbox in
      try await bootAway(sandbox, "--rm")
      for words in [
        ["status", "box"], ["list"], ["wait", "box"], ["wait", "box", "--for", "running"],
      ] {
        try removeRuntimeFolder(sandbox)
        let found = try await sandbox.qvm(words)
        #expect(found.status == 0, "\(words): \(found.err)")
        if words[0] != "wait" { #expect(found.out.contains("running"), "\(words): \(found.out)") }
      }
      for words in [["console", "box"], ["attach", "box"]] {
        try removeRuntimeFolder(sandbox)
        let session = try TerminalSession(try Sandbox.program, words, in: sandbox)
        try await session.expect(words[0] == "console" ? "attached to box" : "box is running")
        session.type("said by \(words[0])")
        try await session.expect("said by \(words[0])")
        session.type("\u{1D}d")
        #expect(try await session.end() == 0)
      }
      // What was said meanwhile is in one log.
      let log = try await sandbox.qvm("logs", "box").out
      #expect(log.contains("said by console") && log.contains("said by attach"))
      try removeRuntimeFolder(sandbox)
      let stop = try await sandbox.qvm("stop", "box")
      #expect(stop.status == 0, "\(stop.err)")
      #expect(stop.reports(.clean, of: "box"), "\(stop.err)")
      #expect(!sandbox.exists("box"))
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: "\(sandbox.runtime.path)/qvm") == [])
    }
  }

  @Test(arguments: [false, true])
  func `a stop finds a VM whose sockets were removed beside its disk`(isForced: Bool) async throws {
    try await Sandbox.with { sandbox in
      try await bootBeside(sandbox)
      let (supervisor, _) = sandbox.pids(of: "box")
      try removeSockets(sandbox)
      let stop = try await sandbox.qvm(["stop", "box"] + (isForced ? ["--force"] : []))
      #expect(stop.status == 0, "\(stop.err)")
      let outcome = try await sandbox.status("box")["lastOutcome"]
      // By its own supervisor, which still has QEMU's monitor.
      #expect(outcome?["reason"]?.string == (isForced ? "host-qmp-quit" : "guest-shutdown"))
      #expect(sandbox.pids(of: "box").supervisor == supervisor)
      #expect(!stop.err.contains("SIGTERM"), "\(stop.err)")
    }
  }

  @Test func `an attached client stays, and the next finds the console again`() async throws {
    try await Sandbox.with { sandbox in
      try await bootBeside(sandbox)
      let first = try TerminalSession(try Sandbox.program, ["attach", "box"], in: sandbox)
      try await first.expect("box is running")
      try removeSockets(sandbox)
      let refused = try await sandbox.qvm("console", "box")
      #expect(refused.reports(ConsoleError.busy(name: "box")), "\(refused.err)")
      first.type("still here")
      try await first.expect("still here")
      first.type("\u{1D}d")
      #expect(try await first.end() == 0)
      let second = try TerminalSession(try Sandbox.program, ["console", "box"], in: sandbox)
      try await second.expect("attached to box")
      second.type("here again")
      try await second.expect("here again")
      #expect(try await sandbox.qvm("stop", "box").status == 0)
      #expect(try await second.end() == 0)
    }
  }

  @Test(arguments: [false, true])
  func `a supervisor that can't have its socket again is told by a signal`(
    isForced: Bool
  ) async throws {
    try await Sandbox.with { sandbox in
      try await bootBeside(sandbox)
      try removeSockets(sandbox)
      let control = sandbox.folder(of: "box").appending(path: "control.sock")
      try FileManager.default.createDirectory(at: control, withIntermediateDirectories: false)
      #expect(try await sandbox.status("box")["phase"]?.string == "unresponsive")
      let stop = try await sandbox.qvm(["stop", "box"] + (isForced ? ["--force"] : []))
      #expect(stop.status == 0, "\(stop.err)")
      #expect(stop.err.contains("Sent a signal that tells it to"), "\(stop.err)")
      let outcome = try await sandbox.status("box")["lastOutcome"]
      #expect(outcome?["reason"]?.string == (isForced ? "host-qmp-quit" : "guest-shutdown"))
      try FileManager.default.removeItem(at: control)
    }
  }

  @Test func `a forced stop ends a VM whose supervisor hangs without its sockets`() async throws {
    try await Sandbox.with { sandbox in
      try await bootBeside(sandbox)
      kill(try #require(sandbox.pids(of: "box").supervisor), SIGSTOP)
      try removeSockets(sandbox)
      let stop = try await sandbox.qvm("stop", "--force", "box")
      #expect(stop.status == 0, "\(stop.err)")
      #expect(try await sandbox.status("box")["lastOutcome"]?["result"]?.string == "forced")
    }
  }

  @Test
  func `an orphan whose folder of sockets was removed is ended by a signal, which is no clean end`()
    async throws
  {
    try await Sandbox.with { sandbox in
      try await bootAway(sandbox)
      kill(try #require(sandbox.pids(of: "box").supervisor), SIGKILL)
      try removeRuntimeFolder(sandbox)
      #expect(try await sandbox.status("box")["phase"]?.string == "orphaned")
      let stop = try await sandbox.qvm("stop", "box")
      #expect(stop.status == 1)
      let outcome = try await sandbox.status("box")["lastOutcome"]
      #expect(outcome?["rung"]?.string == "sigkill", "\(stop.err)")
      #expect(outcome?["result"]?.string == "forced")
      #expect(try sockets(sandbox) == [])
    }
  }

  @Test func `links to caches that are gone go when a new one is made`() async throws {
    try await Sandbox.with { sandbox in
      sandbox.lengthenCache()
      let folder = sandbox.runtime.appending(path: "qvm")
      try FileManager.default.createDirectory(
        at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      func link(_ name: String, to target: URL) throws {
        try FileManager.default.createSymbolicLink(
          at: folder.appending(path: name), withDestinationURL: target)
      }
      try link("gone", to: sandbox.folder.appending(path: "gone"))
      try link("there", to: sandbox.folder)
      // Its disk may only be away.
      let outcome = folder.appending(path: "0123456789abcdef-1-2.outcome.json")
      try Data("{}".utf8).write(to: outcome)
      #expect(try await sandbox.qvm("run", "-d", "--name", "box", "demo", "1").status == 0)
      let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      #expect(!names.contains("gone"))
      #expect(names.contains("there") && names.contains(outcome.lastPathComponent))
      #expect(names.count == 3)
      #expect(try await sandbox.qvm("stop", "--force", "box").status == 0)
    }
  }
}
