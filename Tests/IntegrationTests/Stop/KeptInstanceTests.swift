import Foundation
import QMPClient
import QVMControl
import TestSupport
import Testing

/// `--rm` removes only what is certain to have shut down; anything else is kept.
@Suite(.timeLimit(.minutes(15))) struct KeptInstanceTests {
  private func pid(_ name: String, _ key: String, in sandbox: Sandbox) async throws -> Int32 {
    try #require(try await sandbox.status(name)[key]?.int.map(Int32.init))
  }

  @Test func `a start that fails does not make a crash before it look like a shutdown`()
    async throws
  {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(.panicking, as: "haiku-r1beta5-x86-64")
      let guest = ["--memory", "64M", "haiku", "r1beta5"]
      _ = try await sandbox.qvm(
        ["run", "-d", "--rm", "--name", "kept", "--qemu-arg", "-device", "--qemu-arg", "pvpanic"]
          + guest)
      _ = try await sandbox.qvm("wait", "kept", "--for", "stopped", "--timeout", "60")
      #expect(try await sandbox.status("kept")["phase"]?.string == "crashed")

      _ = try await sandbox.qvm(["run", "-d", "--name", "other", "demo", "1"])
      let port = try #require(try await sandbox.status("other")["sshPort"]?.int)
      let again = try await sandbox.qvm(
        ["run", "-d", "--name", "kept", "--ssh-port", "\(port)", "--ssh-address", "127.0.0.1"]
          + guest)
      #expect(again.status == 1)
      _ = try await sandbox.qvm("list")
      #expect(try await sandbox.qvm("status", "kept").status == 3, "the disk was removed")
    }
  }

  @Test func `an orphan that had to be killed is kept`() async throws {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--rm", "--name", "stuck", "demo", "1")
      let qemu = try await pid("stuck", "pid", in: sandbox)
      kill(try await pid("stuck", "supervisorPid", in: sandbox), SIGKILL)
      kill(qemu, SIGSTOP)
      let stop = try await sandbox.qvm("stop", "--force", "stuck")
      #expect(stop.err.contains("its disk is kept: \(sandbox.disk(of: "stuck"))"), "\(stop.err)")
      let status = try await sandbox.status("stuck")
      #expect(status["phase"]?.string == "stopped")
      #expect(status["lastOutcome"]?["signal"]?.int == 9)
    }
  }

  @Test func `a supervisor that was killed before it knew QEMU's pid is replaced all the same`()
    async throws
  {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--rm", "--name", "early", "demo", "1")
      _ = try await sandbox.qvm("wait", "early", "--timeout", "30")
      kill(try await pid("early", "supervisorPid", in: sandbox), SIGKILL)
      let boot = sandbox.cache.appending(path: "instances/early/boot.json")
      let text = try String(contentsOf: boot, encoding: .utf8)
      try Data(text.replacing(/"(pid|start)":[0-9]+,/, with: "").utf8).write(to: boot)
      let stop = try await sandbox.qvm("stop", "early")
      #expect(stop.status == 0, "\(stop.err)")
      #expect(try await sandbox.qvm("status", "early").status == 4)
    }
  }

  @Test func `a process that only holds the lock is not taken for a VM`() async throws {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--name", "still", "demo", "1")
      _ = try await sandbox.qvm("stop", "--force", "still")
      let lock = sandbox.cache.appending(path: "instances/still/vm.lock")
      let holder = try sandbox.start(
        URL(filePath: "/usr/bin/flock"), [lock.path, "/bin/sleep", "30"])
      try await eventually("the lock is held") {
        sandbox.processes.contains { $0.command.contains("sleep") }
      }
      let status = try await sandbox.status("still")
      #expect(status["phase"]?.string == "stopped")
      #expect(status["lastOutcome"]?["reason"]?.string == "host-qmp-quit")
      for process in sandbox.processes where !process.command.contains("qvm") {
        kill(process.pid, SIGKILL)
      }
      _ = try await holder.end()
    }
  }

  @Test func `a caller's descriptors are not kept open by its VMs`() async throws {
    try await Sandbox.with { sandbox in
      let file = sandbox.folder.appending(path: "held")
      let script = "exec 9>'\(file.path)'; '\(try Sandbox.program.path)' run -d --name fds demo 1"
      let run = try await sandbox.run(URL(filePath: "/bin/bash"), ["-c", script])
      #expect(run.status == 0)
      for key in ["pid", "supervisorPid"] {
        let folder = "/proc/\(try await pid("fds", key, in: sandbox))/fd"
        let open = try FileManager.default.contentsOfDirectory(atPath: folder).compactMap {
          try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)")
        }
        #expect(!open.contains(file.path), "\(key)")
      }
    }
  }

  @Test func `a supervisor that is stuck is said to be, in time, and hides no other`() async throws
  {
    try await Sandbox.with { sandbox in
      let stuck = ["a", "b", "c", "d", "e", "f", "g"]
      for name in stuck + ["z"] {
        _ = try await sandbox.qvm("run", "-d", "--name", name, "demo", "1")
      }
      var stopped: [Int32] = []
      for name in stuck {
        stopped.append(try await pid(name, "supervisorPid", in: sandbox))
      }
      for pid in stopped { kill(pid, SIGSTOP) }
      // One after the other they would cost a second each.
      let begin = ContinuousClock.now
      let list = try await sandbox.qvm("list", "--json")
      #expect(begin.duration(to: .now) < .seconds(3))
      let phases = list.json["instances"]?.array?.map { $0["phase"]?.string }
      #expect(phases == stuck.map { _ in "unresponsive" } + ["running"])
      for pid in stopped { kill(pid, SIGCONT) }
    }
  }
  @Test func `a supervisor that is stuck is named, and stop --force does without it`() async throws
  {
    try await Sandbox.with { sandbox in
      #expect(try await sandbox.qvm("run", "-d", "--name", "stuck", "demo", "1").status == 0)
      let supervisor = try #require(sandbox.pids(of: "stuck").supervisor)
      kill(supervisor, SIGSTOP)
      let status = try await sandbox.qvm("status", "stuck")
      #expect(status.out.contains("the supervisor (pid \(supervisor)) does not answer"))
      let stop = try await sandbox.qvm("stop", "stuck")
      #expect(stop.status == 1)
      #expect(stop.reports(StopError.silent(name: "stuck", pid: supervisor)), "\(stop.err)")
      let forced = try await sandbox.qvm("stop", "--force", "stuck")
      #expect(forced.status == 0, "\(forced.err)")
      let outcome = try await sandbox.status("stuck")["lastOutcome"]
      #expect(outcome?["result"]?.string == "forced")
      #expect(try await sandbox.qvm("start", "-d", "stuck").status == 0)
    }
  }
}
