import Foundation
import QMPClient
import TestSupport
import Testing

/// Programs that signal more than once and mean it once.
@Suite(.timeLimit(.minutes(15))) struct RepeatedSignalTests {
  /// A guest that ignores its button and gets two seconds for it: only waiting takes that long.
  private static let deaf = [
    "--shutdown-timeout", "2", "--memory", "64M", "haiku", "r1beta5",
  ]

  private func run(
    _ name: String, under wrapper: [String] = [], in sandbox: Sandbox
  ) async throws -> RunningCommand {
    try await sandbox.plant(.deaf, as: "haiku-r1beta5-x86-64")
    let words =
      wrapper + [try Sandbox.program.path, "run", "--name", name] + Self.deaf
    let run = try sandbox.start(URL(filePath: "/usr/bin/env"), words)
    try await eventually("the guest is up") { run.output.out.contains("ready") }
    return run
  }

  private func expectPatience(_ name: String, in sandbox: Sandbox) async throws {
    _ = try await sandbox.qvm("wait", name, "--for", "stopped", "--timeout", "30")
    let outcome = try await sandbox.status(name)["lastOutcome"]
    #expect(outcome?["reason"]?.string == "host-qmp-quit")
    #expect((outcome?["seconds"]?.double ?? 0) >= 2, "\(outcome ?? .null)")
  }

  @Test func `timeout, which signals its child and then its group, asks once`() async throws {
    try await Sandbox.with { sandbox in
      let run = try await run("box", under: ["timeout", "60"], in: sandbox)
      // It does with this what it does when the time is up.
      run.signal(SIGTERM)
      _ = try await run.end()
      try await expectPatience("box", in: sandbox)
      #expect(!run.output.err.contains("forcing"), "\(run.output.err)")
    }
  }

  @Test func `what GNU parallel sends before it kills leaves the shutdown to the supervisor`()
    async throws
  {
    try await Sandbox.with { sandbox in
      let run = try await run("job", in: sandbox)
      // Its --termseq, TERM,200,TERM,100,TERM,50,KILL.
      for milliseconds in [200, 100, 50] {
        run.signal(SIGTERM)
        // The pauses are what it is about.
        try await Task.sleep(for: .milliseconds(milliseconds))
      }
      run.signal(SIGKILL)
      _ = try await run.end()
      try await expectPatience("job", in: sandbox)
    }
  }

  @Test func `a signal to all processes of a job asks once`() async throws {
    try await Sandbox.with { sandbox in
      let run = try await run("all", in: sandbox)
      let supervisor = try #require(sandbox.pids(of: "all").supervisor)
      for _ in 0..<2 {
        run.signal(SIGTERM)
        try await eventually("it was heard") {
          try await sandbox.status("all")["phase"]?.string == "stopping"
        }
        kill(supervisor, SIGTERM)
      }
      _ = try await run.end()
      try await expectPatience("all", in: sandbox)
    }
  }

  @Test func `an impatient signal to the supervisor is heard`() async throws {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(.deaf, as: "haiku-r1beta5-x86-64")
      _ = try await sandbox.qvm(
        "run", "-d", "--name", "sup", "--memory", "64M", "haiku", "r1beta5")
      _ = try await sandbox.qvm("wait", "sup", "--for", "console:ready", "--timeout", "30")
      let supervisor = try #require(sandbox.pids(of: "sup").supervisor)
      kill(supervisor, SIGTERM)
      try await eventually("it was heard") {
        try await sandbox.status("sup")["phase"]?.string == "stopping"
      }
      kill(supervisor, SIGINT)
      _ = try await sandbox.qvm("wait", "sup", "--for", "stopped", "--timeout", "10")
      let outcome = try await sandbox.status("sup")["lastOutcome"]
      #expect(outcome?["rung"]?.string == "quit")
      #expect((outcome?["seconds"]?.double ?? 9) < 2)
    }
  }
}
