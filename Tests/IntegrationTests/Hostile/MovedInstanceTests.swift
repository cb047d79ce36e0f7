import Foundation
import QMPClient
import QVMControl
import TestSupport
import Testing

/// A VM whose folder is moved or removed while it runs: its end touches nothing but what is its own.
@Suite(.timeLimit(.minutes(15))) struct MovedInstanceTests {
  /// Boots a VM whose guest has asked for its power button.
  private func boot(_ sandbox: Sandbox) async throws {
    _ = try await sandbox.qvm("run", "-d", "--rm", "--name", "box", "demo", "1")
    #expect(try await sandbox.qvm("wait", "box", "--timeout", "30").status == 0)
  }

  /// Asks the guest to power off by a monitor, and waits until its QEMU is gone.
  private func powerOff(_ monitor: String, _ qemu: Int32) async throws {
    try BlockingQMPClient(path: monitor, timeout: .seconds(10)).execute(SystemPowerdown())
    try await eventually("it powers off") { kill(qemu, 0) != 0 }
  }

  @Test func `one that was moved away deletes nothing of the one that has its name now`()
    async throws
  {
    try await Sandbox.with { sandbox in
      try await boot(sandbox)
      let (supervisor, qemu) = sandbox.pids(of: "box")
      let moved = sandbox.folder.appending(path: "moved")
      try FileManager.default.moveItem(at: sandbox.folder(of: "box"), to: moved)
      _ = try await sandbox.qvm("run", "-d", "--name", "box", "demo", "1")
      try await powerOff("\(moved.path)/monitor.sock", try #require(qemu))
      try await eventually("its supervisor ends") { kill(try #require(supervisor), 0) != 0 }
      #expect(try await sandbox.status("box")["phase"]?.string == "running")
      let names = try FileManager.default.contentsOfDirectory(
        atPath: sandbox.folder(of: "box").path)
      for name in ["disk.qcow2", "monitor.sock", "console.sock", "control.sock"] {
        #expect(names.contains(name))
      }
      // What was moved is kept, with its outcome.
      #expect(FileManager.default.fileExists(atPath: "\(moved.path)/disk.qcow2"))
      let outcome = try JSONValue(
        parsing: Array(Data(contentsOf: moved.appending(path: "outcome.json"))))
      #expect(outcome["result"]?.string == "clean")
      #expect(try await sandbox.qvm("stop", "box").status == 0)
    }
  }

  @Test func `one whose folder was removed deletes nothing of the one that has its name now`()
    async throws
  {
    try await Sandbox.with { sandbox in
      try await boot(sandbox)
      let supervisor = try #require(sandbox.pids(of: "box").supervisor)
      // It learns of the removal when the other one is there.
      kill(supervisor, SIGSTOP)
      try FileManager.default.removeItem(at: sandbox.folder(of: "box"))
      _ = try await sandbox.qvm("run", "-d", "--name", "box", "demo", "1")
      kill(supervisor, SIGCONT)
      try await eventually("its supervisor ends") { kill(supervisor, 0) != 0 }
      #expect(try await sandbox.status("box")["phase"]?.string == "running")
      #expect(sandbox.exists("box"))
      #expect(try await sandbox.qvm("stop", "box").status == 0)
    }
  }

  @Test func `in a cache that was moved while it ran a VM is found, and its disk stays`()
    async throws
  {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--rm", "--name", "box", "demo", "1")
      let moved = sandbox.folder.appending(path: "moved")
      try FileManager.default.moveItem(at: sandbox.cache, to: moved)
      sandbox.environment["QVM_CACHE"] = moved.path
      #expect(try await sandbox.status("box")["phase"]?.string == "running")
      let stop = try await sandbox.qvm("stop", "box")
      #expect(stop.status == 0, "\(stop.err)")
      #expect(stop.reports(.clean, of: "box"), "\(stop.err)")
      let place = moved.appending(path: "instances/box").path
      #expect(stop.err.contains("was moved to \(place), where the disk stays"), "\(stop.err)")
      // Nor does the next look remove it.
      for _ in 0..<2 { _ = try await sandbox.qvm("list") }
      let status = try await sandbox.status("box")
      #expect(status["phase"]?.string == "stopped")
      #expect(status["lastOutcome"]?["result"]?.string == "clean")
    }
  }

  @Test func `the end of one that was moved leaves no trace of a kill on its namesake`()
    async throws
  {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--name", "box", "demo", "1")
      let moved = sandbox.cache.appending(path: "instances/old")
      try FileManager.default.moveItem(at: sandbox.folder(of: "box"), to: moved)
      _ = try await sandbox.qvm("run", "-d", "--rm", "--name", "box", "demo", "1")
      #expect(try await sandbox.qvm("stop", "--force", "old").status == 0)
      let (supervisor, qemu) = sandbox.pids(of: "box")
      for pid in [supervisor, qemu] { kill(try #require(pid), SIGKILL) }
      try await eventually("it is known to have crashed") {
        try await sandbox.status("box")["phase"]?.string == "crashed"
      }
      #expect(sandbox.exists("box"))
    }
  }
}
