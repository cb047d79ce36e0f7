import Foundation
import QMPClient
@testable import QVMControl
import TestSupport
import Testing

/// Instances whose files were damaged while their VM lives, or after: what the commands make of them.
@Suite(.timeLimit(.minutes(15))) struct DamagedInstanceTests {
  private func damage(
    _ file: String, of instance: String, with text: String = "{\"sch", in sandbox: Sandbox
  ) throws {
    try Data(text.utf8).write(to: sandbox.folder(of: instance).appending(path: file))
  }

  @Test func `a damaged instance is reported, and hinders no other`() async throws {
    try await Sandbox.with { sandbox in
      try await sandbox.makeSeed("good")
      let files = ["instance.json", "boot.json", "outcome.json"]
      for file in files {
        for (kind, text) in [("torn", "{\"schema\":1,"), ("newer", "{\"schema\":99}")] {
          let name = "\(kind)-\(file.prefix { $0 != "." })"
          try sandbox.copy("good", as: name)
          try damage(file, of: name, with: text, in: sandbox)
          let status = try await sandbox.qvm("status", name)
          #expect(status.status == 3, "\(name)")
          #expect(status.out.contains("broken") && status.out.contains(file), "\(status.out)")
          let wait = try await sandbox.qvm("wait", name, "--timeout", "5")
          #expect(wait.status == 1 && wait.err.contains("qvm rm \(name)"), "\(wait.err)")
        }
      }
      let list = try await sandbox.qvm("list", "--json")
      #expect(list.status == 0)
      let phases = list.json["instances"]?.array?.map { $0["phase"]?.string }
      #expect(phases == ["stopped"] + Array(repeating: "broken", count: 6))

      // What a new boot replaces may be torn; what says what the instance is may not, and what a
      // newer qvm wrote is left to it.
      for (name, isBooted) in [
        ("torn-boot", true), ("torn-outcome", true), ("torn-instance", false),
        ("newer-boot", false), ("newer-instance", false),
      ] {
        let start = try await sandbox.qvm("start", "-d", name)
        #expect(start.status == (isBooted ? 0 : 1), "\(name): \(start.err)")
        if name.hasPrefix("newer") {
          #expect(start.reports(InstanceError.newer(name: name, why: "")), "\(start.err)")
        } else if !isBooted {
          #expect(start.reports(InstanceError.broken(name: name, why: "")), "\(start.err)")
        }
      }
      for name in ["torn-boot", "torn-outcome"] {
        #expect(try await sandbox.qvm("stop", "--force", name).status == 0)
        #expect(try await sandbox.status(name)["phase"]?.string == "stopped")
        if let damage = try await sandbox.damage(of: name) { Issue.record("\(damage)") }
      }
      #expect(try await sandbox.qvm("rm", "torn-instance", "newer-boot").status == 0)
      #expect(try await sandbox.qvm("rm", "--force", "newer-instance").status == 0)
      #expect(try await sandbox.status("good")["phase"]?.string == "stopped")
    }
  }

  @Test func `a pipe in the place of a file is told so, and hangs nothing`() async throws {
    try await Sandbox.with { sandbox in
      try await sandbox.makeSeed("good")
      let files = ["boot.json", "instance.json", "outcome.json", "vm.lock"]
      for file in files {
        let name = "pipe-\(file.prefix { $0 != "." })"
        try sandbox.copy("good", as: name)
        let path = sandbox.folder(of: name).appending(path: file).path
        #expect(unlink(path) == 0 && mkfifo(path, 0o600) == 0)
        let status = try await sandbox.qvm("status", name)
        #expect(status.status == 3, "\(name): \(status.err)")
        #expect(status.out.contains("broken"), "\(status.out)")
        #expect(status.out.contains("\(file): it is not a regular file"), "\(status.out)")
      }
      let list = try await sandbox.qvm("list", "--json")
      #expect(list.status == 0)
      let phases = list.json["instances"]?.array?.map { $0["phase"]?.string }
      #expect(phases == ["stopped"] + Array(repeating: "broken", count: 4))
      let table = try await sandbox.qvm("list")
      #expect(table.status == 0)
      #expect(
        table.out.split(separator: "\n").map { $0.contains("broken") }
          == [false, false, true, true, true, true], "\(table.out)")

      // What would be locked has to be removed by hand, and says so.
      let refusal = try await sandbox.qvm("rm", "pipe-vm")
      #expect(refusal.status == 1)
      let lock = sandbox.folder(of: "pipe-vm").appending(path: "vm.lock").path
      #expect(refusal.reports(FileError(verb: "lock", path: lock, cause: .notFile)))
      #expect(unlink(lock) == 0)
      let names = files.map { "pipe-\($0.prefix { $0 != "." })" }
      let removal = try await sandbox.qvm(["rm"] + names)
      #expect(removal.status == 0, "\(removal.err)")
      #expect(try await sandbox.qvm("list", "-q").out == "good\n")
    }
  }

  @Test func `a VM whose record is damaged is still found by its supervisor's sockets`()
    async throws
  {
    try await Sandbox.with { sandbox in
      for (name, file) in [("a", "boot.json"), ("b", "instance.json"), ("c", "boot.json")] {
        _ = try await sandbox.qvm("run", "-d", "--name", name, "demo", "1")
        _ = try await sandbox.qvm("wait", name, "--timeout", "30")
        try damage(file, of: name, in: sandbox)
        let status = try await sandbox.qvm("status", name)
        #expect(status.status == 1 && status.out.contains("broken"), "\(status.out)")
        let refusal = try await sandbox.qvm("rm", name)
        #expect(refusal.status == 1, "a VM that lives was removed")
      }
      for name in ["a", "b"] {
        let stop = try await sandbox.qvm("stop", name)
        #expect(stop.status == 0 && stop.reports(.clean, of: name), "\(stop.err)")
        #expect(try await sandbox.qvm("rm", name).status == 0)
      }
      let removal = try await sandbox.qvm("rm", "--force", "c")
      #expect(removal.status == 0, "\(removal.err)")
      #expect(!sandbox.exists("c"))
    }
  }

  @Test func `an orphan whose record is damaged is neither removed nor shot at`() async throws {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--name", "vm", "demo", "1")
      let (supervisor, found) = sandbox.pids(of: "vm")
      let qemu = try #require(found)
      kill(try #require(supervisor), SIGKILL)
      try damage("boot.json", of: "vm", in: sandbox)
      for words in [["stop", "--force", "vm"], ["rm", "--force", "vm"]] {
        let refusal = try await sandbox.qvm(words)
        #expect(refusal.status == 1)
        #expect(
          refusal.reports(StopError.unknown(name: "vm", why: "", pid: qemu)), "\(refusal.err)")
        #expect(
          refusal.err.contains(sandbox.folder(of: "vm").appending(path: "boot.json").path),
          "\(refusal.err)")
      }
      #expect(sandbox.processes.contains { $0.pid == qemu })
      #expect(sandbox.exists("vm"))
      // What the advice says works.
      kill(qemu, SIGKILL)
      try await eventually("it is removed") { try await sandbox.qvm("rm", "vm").status == 0 }
    }
  }

  @Test func `an orphan whose record holds absurd numbers is stopped all the same`() async throws {
    try await Sandbox.with { sandbox in
      for (index, value) in [JSONValue.integer(.max), .integer(.min), .integer(-1)].enumerated() {
        let name = "vm\(index)"
        _ = try await sandbox.qvm("run", "-d", "--name", name, "demo", "1")
        _ = try await sandbox.qvm("wait", name, "--timeout", "30")
        kill(try #require(sandbox.pids(of: name).supervisor), SIGKILL)
        for member in ["shutdownTimeout", "consoleOffset", "supervisorPid", "sshPort"] {
          try sandbox.change(member, to: value, in: "boot.json", of: name)
        }
        for words in [["status"], ["wait", "--for", "console:never", "--timeout", "1"]] {
          let answer = try await sandbox.qvm(words + [name])
          #expect([0, 1, 124].contains(answer.status), "\(words): \(answer.status)")
        }
        let stop = try await sandbox.qvm("stop", name)
        #expect([0, 1].contains(stop.status), "\(stop.err)")
        let phase = try await sandbox.status(name)["phase"]?.string
        #expect(phase == "stopped", "\(stop.err)")
      }
    }
  }
}
