import Foundation
import QMPClient
import TestSupport
import Testing

/// Commands that only look must answer at once: they start no thread and no process.
@Suite(.timeLimit(.minutes(15))) struct StartUpTests {
  @Test(arguments: [
    ["--version"], ["--help"], ["run", "--help"], ["list"], ["list", "--json"], ["status", "seen"],
    ["images"], ["images", "--json"], ["prune", "--dry-run"], ["config", "print-path"],
    ["run", "--dry-run", "demo", "1"], ["__complete", "st"],
  ])
  func `a command that only looks starts neither thread nor process`(words: [String]) async throws {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--name", "seen", "demo", "1")
      let log = sandbox.folder.appending(path: "strace.log")
      let program = try Sandbox.program.path
      let traced = try await sandbox.run(
        URL(filePath: "/usr/bin/env"),
        ["strace", "-f", "-o", log.path, "-e", "trace=clone,clone3,fork,vfork", program] + words)
      #expect(traced.status == 0, "\(traced.err)")
      let calls = try String(contentsOf: log, encoding: .utf8)
      #expect(!calls.contains("clone"), "\(calls)")
      #expect(!calls.contains("fork"), "\(calls)")
    }
  }

  @Test func `the supervisor of an idle guest sleeps`() async throws {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--name", "idle", "demo", "1")
      _ = try await sandbox.qvm("wait", "idle", "--timeout", "30")
      let pid = try #require(try await sandbox.status("idle")["supervisorPid"]?.int)
      func wakeUps() throws -> Int {
        let tasks = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")
        return try tasks.reduce(0) { sum, task in
          let text = try String(contentsOfFile: "/proc/\(pid)/task/\(task)/status", encoding: .utf8)
          let line = text.split(separator: "\n").first { $0.hasPrefix("voluntary_ctxt_switches") }
          return sum + (line.flatMap { Int($0.split(separator: "\t").last ?? "") } ?? 0)
        }
      }
      // The guest's own start may still reach the supervisor in the first moments.
      try await Task.sleep(for: .milliseconds(500))
      let before = try wakeUps()
      // Nothing is to happen, so there is nothing to wait for.
      try await Task.sleep(for: .seconds(2))
      #expect(try wakeUps() == before)
    }
  }
}
