import Foundation
import QMPClient
import QVMControl
import TestSupport
import Testing

/// Signals to all processes of a job, as editors, job runners and schedulers send them.
@Suite(.timeLimit(.minutes(15))) struct TreeSignalTests {
  private func boot(_ words: [String], in sandbox: Sandbox) async throws -> (Int32, Int32) {
    let run = try await sandbox.qvm(["run", "-d", "--name", "box"] + words + ["demo", "1"])
    #expect(run.status == 0, "\(run.err)")
    _ = try await sandbox.qvm("wait", "box", "--timeout", "30")
    let (supervisor, qemu) = sandbox.pids(of: "box")
    return (try #require(supervisor), try #require(qemu))
  }

  @Test(arguments: [SIGTERM, SIGINT, SIGHUP])
  func `a signal to supervisor and QEMU has the guest power off`(signal: Int32) async throws {
    try await Sandbox.with { sandbox in
      let (supervisor, qemu) = try await boot([], in: sandbox)
      // Twice, which is the same wish.
      for pid in [qemu, supervisor, qemu, supervisor] { kill(pid, signal) }
      _ = try await sandbox.qvm("wait", "box", "--for", "stopped", "--timeout", "30")
      let outcome = try await sandbox.status("box")["lastOutcome"]
      #expect(outcome?["result"]?.string == "clean")
      #expect(outcome?["rung"]?.string == "powerdown")
    }
  }

  @Test func `a signal to supervisor and QEMU is a shutdown after which --rm removes the disk`()
    async throws
  {
    try await Sandbox.with { sandbox in
      let (supervisor, qemu) = try await boot(["--rm"], in: sandbox)
      for pid in [qemu, supervisor] { kill(pid, SIGTERM) }
      _ = try await sandbox.qvm("wait", "box", "--for", "stopped", "--timeout", "30")
      #expect(!sandbox.exists("box"))
    }
  }

  @Test func `a signal to all processes of a run in the foreground has the guest power off`()
    async throws
  {
    try await Sandbox.with { sandbox in
      let run = try sandbox.start("run", "--rm", "--name", "tree", "demo", "1")
      try await eventually("it boots") { run.output.out.contains("ready") }
      let qemu = try #require(sandbox.pids(of: "tree").qemu)
      let rest = sandbox.processes.map(\.pid).filter { $0 != qemu }
      for pid in [qemu] + rest { kill(pid, SIGTERM) }
      let end = try await run.end()
      #expect(end.status == 0, "\(end.err)")
      #expect(end.reports(.clean, of: "tree"), "\(end.err)")
      #expect(!sandbox.exists("tree"))
    }
  }

  @Test func `neither supervisor nor QEMU descends from the command, or shares its session`()
    async throws
  {
    try await Sandbox.with { sandbox in
      let run = try sandbox.start("run", "--name", "box", "demo", "1")
      try await eventually("it boots") { run.output.out.contains("ready") }
      let (supervisor, qemu) = sandbox.pids(of: "box")
      var ancestor = try #require(qemu)
      var line: [Int32] = []
      while ancestor > 1 {
        ancestor = try parent(of: ancestor)
        line.append(ancestor)
      }
      #expect(line.first == supervisor)
      #expect(!line.contains(run.pid))
      #expect(getsid(try #require(supervisor)) == supervisor)
      run.signal(SIGINT)
      #expect(try await run.end().status == 0)
    }
  }

  private func parent(of pid: Int32) throws -> Int32 {
    let text = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
    let fields = text[try #require(text.lastIndex(of: ")"))...].split(separator: " ")
    return try #require(Int32(fields[2]))
  }

  @Test func `a killed QEMU leaves its disk, with --rm too, and that is reported`()
    async throws
  {
    try await Sandbox.with { sandbox in
      let run = try sandbox.start("run", "--rm", "--name", "box", "demo", "1")
      try await eventually("it boots") { run.output.out.contains("ready") }
      kill(try #require(sandbox.pids(of: "box").qemu), SIGKILL)
      let end = try await run.end()
      #expect(end.status == 1)
      #expect(end.err.contains(sandbox.disk(of: "box")), "\(end.err)")
      #expect(try await sandbox.status("box")["lastOutcome"]?["result"]?.string == "crashed")
    }
  }

  @Test
  func
    `a QEMU ended by a SIGTERM from outside leaves its disk, with --rm too, and that is reported`()
    async throws
  {
    try await Sandbox.with { sandbox in
      let unblock = "import os,signal,sys;signal.pthread_sigmask(signal.SIG_SETMASK,[]);"
      try await sandbox.useQEMU(
        script: """
          exec '\(try Tool.python.url.path)' -c \
            '\(unblock)os.execv(sys.argv[1],sys.argv[1:])' "$REAL" "$@"
          """)
      let run = try sandbox.start("run", "--rm", "--name", "box", "demo", "1")
      try await eventually("it boots") { run.output.out.contains("ready") }
      kill(try #require(sandbox.pids(of: "box").qemu), SIGTERM)
      let end = try await run.end()
      #expect(end.status == 1)
      #expect(end.err.contains(sandbox.disk(of: "box")), "\(end.err)")
      let outcome = try await sandbox.status("box")["lastOutcome"]
      #expect(outcome?["reason"]?.string == "host-signal")
    }
  }
}
