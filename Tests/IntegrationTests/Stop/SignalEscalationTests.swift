import Foundation
import QMPClient
import TestSupport
import Testing

/// Signals to a command and its supervisor, as CI systems and service managers send them.
@Suite(.timeLimit(.minutes(15))) struct SignalEscalationTests {
  private static let deaf = ["--memory", "64M", "haiku", "r1beta5"]

  /// `run` of a guest that ignores its power button, once the guest is up.
  private func runDeaf(
    _ name: String, _ options: [String] = [], in sandbox: Sandbox
  ) async throws -> RunningCommand {
    let run = try sandbox.start(
      try Sandbox.program, ["run", "--name", name] + options + Self.deaf)
    try await eventually("the guest is up") { run.output.out.contains("ready") }
    return run
  }

  private func isSound(_ name: String, in sandbox: Sandbox) async throws -> Bool {
    let disk = sandbox.cache.appending(path: "instances/\(name)/disk.qcow2").path
    return try await sandbox.run(try Tool.qemuImg.url, ["check", disk]).status == 0
  }

  @Test func `one SIGTERM to any process ends a deaf guest within its time`() async throws {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(.deaf, as: "haiku-r1beta5-x86-64")
      let run = try await runDeaf("client", ["--shutdown-timeout", "2"], in: sandbox)
      let other = try await sandbox.qvm(
        ["run", "-d", "--name", "supervisor", "--shutdown-timeout", "2"] + Self.deaf)
      #expect(other.status == 0, "\(other.err)")
      _ = try await sandbox.qvm("wait", "supervisor", "--for", "console:ready", "--timeout", "30")
      let supervisor = try await sandbox.status("supervisor")["supervisorPid"]?.int
      run.signal(SIGTERM)
      kill(try #require(supervisor.map(Int32.init)), SIGTERM)
      #expect(try await run.end().status == 1)
      _ = try await sandbox.qvm("wait", "supervisor", "--for", "stopped", "--timeout", "30")
      for name in ["client", "supervisor"] {
        let outcome = try await sandbox.status(name)["lastOutcome"]
        #expect(outcome?["result"]?.string == "forced", "\(name)")
        #expect(outcome?["rung"]?.string == "quit", "\(name)")
        let seconds = outcome?["seconds"]?.double ?? 0
        #expect(seconds >= 2 && seconds < 8, "\(name)")
      }
    }
  }

  @Test func `what a CI system sends before it kills everything is enough for an orderly end`()
    async throws
  {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(.deaf, as: "haiku-r1beta5-x86-64")
      let run = try await runDeaf("cancelled", in: sandbox)
      run.signal(SIGINT)
      try await eventually("the guest is asked") {
        try await sandbox.status("cancelled")["phase"]?.string == "stopping"
      }
      run.signal(SIGTERM)
      #expect(try await run.end(within: .milliseconds(2500)).status == 130)
      for process in sandbox.processes { kill(process.pid, SIGKILL) }
      let outcome = try await sandbox.status("cancelled")["lastOutcome"]
      #expect(outcome?["result"]?.string == "forced")
      #expect(outcome?["reason"]?.string == "host-qmp-quit")
      #expect(try await isSound("cancelled", in: sandbox))
    }
  }

  @Test func `a command for the guest is ended by the same signals`() async throws {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(.deaf, as: "haiku-r1beta5-x86-64")
      // It never becomes ready: the guest has no ssh server.
      let run = try sandbox.start(
        try Sandbox.program, ["run", "--name", "job"] + Self.deaf + ["--", "true"])
      _ = try await eventually("it runs") {
        try await sandbox.status("job")["phase"]?.string == "running"
      }
      // Twice, as the kernel and the shell do: that is no impatience.
      run.signal(SIGHUP)
      run.signal(SIGHUP)
      try await eventually("the guest is asked") {
        try await sandbox.status("job")["reason"]?.string == "powerdown"
      }
      #expect(try await sandbox.status("job")["phase"]?.string == "stopping")
      run.signal(SIGTERM)
      #expect(try await run.end(within: .milliseconds(2500)).status == 130)
      #expect(try await sandbox.status("job")["lastOutcome"]?["rung"]?.string == "quit")
    }
  }

  @Test(arguments: [
    "nohup PROGRAM run --name keeps demo 1 >FOLDER/out 2>&1",
    "trap '' HUP; PROGRAM run --name keeps demo 1",
  ])
  func `a run that ignores SIGHUP stays when its terminal is closed`(line: String) async throws {
    try await Sandbox.with { sandbox in
      let shell = try TerminalSession(
        URL(filePath: "/bin/bash"), ["--norc", "--noediting", "-i"], in: sandbox)
      try await shell.expect("$ ")
      shell.type(
        line.replacing("PROGRAM", with: try Sandbox.program.path)
          .replacing("FOLDER", with: sandbox.folder.path) + "\n")
      try await eventually("it runs") {
        try await sandbox.status("keeps")["phase"]?.string == "running"
      }
      _ = try await sandbox.qvm("wait", "keeps", "--timeout", "30")
      let client = try #require(sandbox.processes.first { $0.command.contains(" run --name") })
      shell.hangUp()
      // Nothing is to happen, so there is nothing to wait for.
      try await Task.sleep(for: .milliseconds(500))
      #expect(try await sandbox.status("keeps")["phase"]?.string == "running")
      #expect(sandbox.processes.contains { $0.pid == client.pid })
      #expect(try await sandbox.qvm("stop", "keeps").status == 0)
      try await eventually("it ends with its VM") {
        !sandbox.processes.contains { $0.pid == client.pid }
      }
    }
  }

  @Test func `a detached VM outlives the terminal that it was started on`() async throws {
    try await Sandbox.with { sandbox in
      let shell = try TerminalSession(
        URL(filePath: "/bin/bash"), ["--norc", "--noediting", "-i"], in: sandbox)
      try await shell.expect("$ ")
      shell.type("\(try Sandbox.program.path) run -d --name stays demo 1\n")
      try await shell.expect("\nstays")
      shell.hangUp()
      _ = try await shell.end()
      // Nothing is to happen, so there is nothing to wait for.
      try await Task.sleep(for: .milliseconds(300))
      #expect(try await sandbox.status("stays")["phase"]?.string == "running")
    }
  }
}
