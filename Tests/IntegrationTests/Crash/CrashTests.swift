import Foundation
import QMPClient
import QVMControl
import TestSupport
import Testing

/// Any process may be killed at any time: the next command finds the truth.
@Suite(.timeLimit(.minutes(15))) struct CrashTests {
  private func pid(_ name: String, _ key: String, in sandbox: Sandbox) async throws -> Int32 {
    try #require(try await sandbox.status(name)[key]?.int.map(Int32.init))
  }

  @Test(arguments: [SIGKILL, SIGABRT, SIGSEGV])
  func `a QEMU that is killed has crashed, and its disk is kept even with --rm`(signal: Int32)
    async throws
  {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--rm", "--name", "hit", "demo", "1")
      kill(try await pid("hit", "pid", in: sandbox), signal)
      _ = try await sandbox.qvm("wait", "hit", "--for", "stopped", "--timeout", "30")
      let status = try await sandbox.qvm("status", "--json", "hit")
      #expect(status.status == 3)
      #expect(status.json["phase"]?.string == "crashed")
      #expect(status.json["lastOutcome"]?["result"]?.string == "crashed")
      #expect(status.json["lastOutcome"]?["signal"]?.int == Int(signal))
      #expect(try await sandbox.qvm("list").out.contains("crashed"))
      #expect(try await sandbox.qvm("rm", "hit").status == 0)
    }
  }

  @Test func `a VM outlives its supervisor, is shut down cleanly, and --rm is carried out`()
    async throws
  {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--rm", "--name", "lost", "demo", "1")
      _ = try await sandbox.qvm("wait", "lost", "--timeout", "30")
      kill(try await pid("lost", "supervisorPid", in: sandbox), SIGKILL)
      try await eventually("orphaned") {
        try await sandbox.status("lost")["phase"]?.string == "orphaned"
      }
      let status = try await sandbox.qvm("status", "--json", "lost")
      #expect(status.status == 0)
      #expect(status.json["runState"]?.string == "running")
      #expect(status.json["supervisorPid"] == nil)
      #expect(try await sandbox.qvm("rm", "lost").status == 1)

      let stop = try await sandbox.qvm("stop", "lost")
      #expect(stop.status == 0, "\(stop.err)")
      #expect(stop.reports(.clean, of: "lost"))
      #expect(try await sandbox.qvm("status", "lost").status == 4)
    }
  }

  @Test func `an orphan that ends by itself is found stopped, and --rm is carried out`()
    async throws
  {
    try await Sandbox.with { sandbox in
      for (name, options) in [("gone", ["--rm"]), ("left", [])] {
        _ = try await sandbox.qvm(["run", "-d", "--name", name] + options + ["demo", "1"])
        _ = try await sandbox.qvm("wait", name, "--timeout", "30")
        let status = try await sandbox.status(name)
        kill(try await pid(name, "supervisorPid", in: sandbox), SIGKILL)
        let probe = try BlockingQMPClient(
          path: try #require(status["paths"]?["monitor"]?.string), timeout: .seconds(10))
        _ = try probe.execute(SystemPowerdown())
      }
      for name in ["gone", "left"] {
        _ = try await sandbox.qvm("wait", name, "--for", "stopped", "--timeout", "60")
      }
      #expect(try await sandbox.qvm("status", "gone").status == 4)
      let status = try await sandbox.status("left")
      #expect(status["phase"]?.string == "stopped")
      #expect(status["lastOutcome"]?["result"]?.string == "unknown")
    }
  }

  @Test func `a paused VM goes on although its supervisor was killed, and has a new one`()
    async throws
  {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--name", "still", "demo", "1")
      _ = try await sandbox.qvm("wait", "still", "--timeout", "30")
      kill(try await pid("still", "supervisorPid", in: sandbox), SIGKILL)
      try await eventually("orphaned") {
        try await sandbox.status("still")["phase"]?.string == "orphaned"
      }
      let running = try await sandbox.qvm("start", "-d", "still")
      #expect(running.status == 1)
      #expect(running.reports(try await sandbox.running("still", "start")))
      let monitor = try #require(try await sandbox.status("still")["paths"]?["monitor"]?.string)
      do {
        let probe = try BlockingQMPClient(path: monitor, timeout: .seconds(10))
        _ = try probe.execute(Stop())
      }
      #expect(try await sandbox.status("still")["runState"]?.string == "paused")
      let start = try await sandbox.qvm("start", "-d", "still")
      #expect(start.status == 0, "\(start.err)")
      #expect(start.err.contains("resumed still, which was paused (paused)"))
      let status = try await sandbox.status("still")
      #expect(status["phase"]?.string == "running")
      #expect(status["supervisorPid"] != nil)
      // It finds out how far the guest is.
      try await eventually("ready") { try await sandbox.status("still")["ready"]?.bool == true }
      #expect(try await sandbox.qvm("stop", "still").status == 0)
    }
  }

  @Test func `an orphan whose monitor's queue is full is adopted once it has room`() async throws {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--name", "box", "demo", "1")
      _ = try await sandbox.qvm("wait", "box", "--timeout", "30")
      let monitor = try #require(try await sandbox.status("box")["paths"]?["monitor"]?.string)
      let qemu = try await pid("box", "pid", in: sandbox)
      let killed = try await pid("box", "supervisorPid", in: sandbox)
      kill(killed, SIGKILL)
      try await eventually("the supervisor is gone") { kill(killed, 0) != 0 }
      kill(qemu, SIGSTOP)
      defer { kill(qemu, SIGCONT) }
      var queue: [Descriptor] = []
      while let one = try? SocketCalls.connect(monitor) { queue.append(one) }
      #expect(!queue.isEmpty)
      let stop = try sandbox.start("stop", "box")
      try await eventually("a new supervisor is there") {
        sandbox.pids(of: "box").supervisor.map { $0 != killed } ?? false
      }
      // Time for an attempt or two at the full queue: nothing shows them.
      try await Task.sleep(for: .milliseconds(300))
      queue = []
      kill(qemu, SIGCONT)
      #expect(try await stop.end().status == 0)
      #expect(try await sandbox.status("box")["lastOutcome"]?["result"]?.string == "clean")
    }
  }

  @Test func `an orphan that is killed has crashed, and is kept`() async throws {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--rm", "--name", "both", "demo", "1")
      let qemu = try await pid("both", "pid", in: sandbox)
      kill(try await pid("both", "supervisorPid", in: sandbox), SIGKILL)
      kill(qemu, SIGKILL)
      _ = try await sandbox.qvm("wait", "both", "--for", "stopped", "--timeout", "30")
      let status = try await sandbox.status("both")
      #expect(status["phase"]?.string == "crashed")
      #expect(status["lastOutcome"]?["reason"]?.string == "qemu-killed")
    }
  }

  @Test func `after a restart of the host a VM that ran has crashed, and no process is signalled`()
    async throws
  {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--rm", "--name", "old", "demo", "1")
      let qemu = try await pid("old", "pid", in: sandbox)
      kill(try await pid("old", "supervisorPid", in: sandbox), SIGKILL)
      kill(qemu, SIGKILL)
      let boot = sandbox.cache.appending(path: "instances/old/boot.json")
      let text = try String(contentsOf: boot, encoding: .utf8)
      let changed = text.replacing(/"hostBootId":"[^"]*"/, with: #""hostBootId":"another""#)
      try Data(changed.utf8).write(to: boot)
      try await eventually("the locks are free") {
        try await sandbox.status("old")["phase"]?.string == "crashed"
      }
      #expect(try await sandbox.status("old")["lastOutcome"]?["reason"]?.string == "host-reboot")
    }
  }

  @Test func `a wait ends at once when the VM dies, with the end of its console`() async throws {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--name", "dies", "demo", "1")
      _ = try await sandbox.qvm("wait", "dies", "--timeout", "30")
      let wait = try sandbox.start("wait", "dies", "--for", "console:never shown")
      kill(try await pid("dies", "pid", in: sandbox), SIGKILL)
      let result = try await wait.end()
      #expect(result.status == 5)
      #expect(result.reports(.crashed, of: "dies"))
      #expect(result.err.contains("ready: type"))
    }
  }

  @Test(arguments: ["instance.json", "boot.json"], ["", "{", "[]", #"{"schema":99}"#])
  func `a damaged file breaks its own instance only`(file: String, text: String) async throws {
    try await Sandbox.with { sandbox in
      for name in ["bad", "good"] {
        _ = try await sandbox.qvm("run", "-d", "--name", name, "demo", "1")
      }
      _ = try await sandbox.qvm("stop", "--force", "bad")
      try Data(text.utf8).write(to: sandbox.cache.appending(path: "instances/bad/\(file)"))
      let list = try await sandbox.qvm("list", "--json")
      #expect(list.status == 0)
      let phases = list.json["instances"]?.array?.map { $0["phase"]?.string }
      #expect(phases == ["broken", "running"])
      #expect(try await sandbox.qvm("rm", "bad").status == 0)
    }
  }
}
