import Foundation
import QMPClient
@testable import QVMControl
import TestSupport
import Testing

/// An instance that a command has locked and not booted yet, since it has something to do before:
/// what is on file is still its last boot's.
@Suite(.timeLimit(.minutes(15))) struct StartingTests {
  /// Calls a body while `start` of the instance `held` is hashing its base image.
  private func whileStarting(
    at address: String, _ body: (Sandbox, RunningCommand) async throws -> Void
  ) async throws {
    try await Sandbox.with { sandbox in
      // An address that no other test has VMs at.
      sandbox.environment["QVM_SSH_ADDRESS"] = address
      #expect(try await sandbox.qvm("run", "-d", "--name", "held", "demo", "1").status == 0)
      _ = try await sandbox.qvm("wait", "held", "--timeout", "30")
      #expect(try await sandbox.qvm("stop", "held").status == 0)
      // Now another one has the port that it had.
      #expect(try await sandbox.qvm("run", "-d", "--name", "other", "demo", "1").status == 0)
      let port = sandbox.file("boot.json", of: "held")["sshPort"]
      #expect(sandbox.file("boot.json", of: "other")["sshPort"] == port)
      let base = try #require(sandbox.file("instance.json", of: "held")["baseImage"]?.string)
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSinceNow: -9999)], ofItemAtPath: base)
      let path = sandbox.environment["PATH"]
      let count = try await sandbox.watchDigests(script: "exec sleep 60")
      let start = try sandbox.start("start", "-d", "held")
      sandbox.environment["PATH"] = path
      try await eventually("its base image is being hashed") { count() > 0 }
      try await body(sandbox, start)
      start.signal(SIGINT)
      #expect(try await start.end().status == 130)
    }
  }

  @Test func `it is told to be starting, and nothing of the last boot is told`() async throws {
    try await whileStarting(at: "127.0.8.1") { sandbox, start in
      let status = try await sandbox.qvm("status", "--json", "held")
      #expect(status.status == 0)
      #expect(status.json["phase"]?.string == "starting")
      #expect(status.json["reason"]?.string == "by process \(start.pid)")
      for member in ["pid", "supervisorPid", "sshPort", "startedAt", "runState"] {
        #expect(status.json[member] == nil, "\(member): \(status.out)")
      }
      let list = try await sandbox.qvm("list", "--json").json["instances"]?.array ?? []
      #expect(list.map { $0["phase"]?.string } == ["starting", "running"])
    }
  }

  @Test func `a command that needs it reports the process that starts it, and soon`() async throws {
    try await whileStarting(at: "127.0.8.2") { sandbox, start in
      let ssh = try await sandbox.qvm("ssh", "held", "--", "true")
      #expect(ssh.status == 1)
      #expect(ssh.reports(SSHError.noServer(name: "held")), "\(ssh.err)")
      let wait = try await sandbox.qvm("wait", "held", "--timeout", "1")
      #expect(wait.status == 124)
      // The state and the advice, without the console of an earlier boot.
      let lines = wait.err.split(separator: "\n")
      #expect(lines.count == 2, "\(wait.err)")
      #expect(lines.last?.contains("--timeout") == true, "\(wait.err)")
      #expect(wait.err.contains("it is still being started"), "\(wait.err)")
      let begin = ContinuousClock.now
      let stop = try await sandbox.qvm("stop", "held", "other")
      #expect(stop.status == 1)
      #expect(stop.reports(StopError.starting(name: "held", pid: start.pid)))
      #expect(stop.reports(.clean, of: "other"), "\(stop.err)")
      #expect(begin.duration(to: .now) < .seconds(10))
      for (words, doing) in [(["rm"], "remove"), (["start", "-d"], "start")] {
        let refused = try await sandbox.qvm(words + ["held"])
        #expect(refused.status == 1)
        let holder = LockOwner.writer(start.pid)
        let busy = InstanceError.busy(name: "held", doing: doing, holder: holder)
        #expect(refused.reports(busy), "\(refused.err)")
      }
    }
  }

  @Test func `an instance whose start was interrupted is as it was before`() async throws {
    try await whileStarting(at: "127.0.8.3") { sandbox, start in
      start.signal(SIGINT)
      #expect(try await start.end().status == 130)
      let status = try await sandbox.status("held")
      #expect(status["phase"]?.string == "stopped")
      #expect(status["lastOutcome"]?["result"]?.string == "clean")
      #expect(try await sandbox.qvm("start", "-d", "held").status == 0)
    }
  }
  @Test(arguments: [[], ["-d"]])
  func `a supervisor that is killed before it has begun is not taken for the last boot's`(
    options: [String]
  ) async throws {
    try await Sandbox.with { sandbox in
      #expect(try await sandbox.qvm("run", "-d", "--name", "cut", "demo", "1").status == 0)
      _ = try await sandbox.qvm("wait", "cut", "--timeout", "30")
      #expect(try await sandbox.qvm("stop", "cut").status == 0)
      // Its record of this boot is the first file that it puts in place.
      let start = try await sandbox.run(
        try Tool.strace.url,
        [
          "-f", "-qq", "-o", "/dev/null", "-e", "trace=rename", "-e",
          "inject=rename:signal=KILL:when=1", try Sandbox.program.path, "start", "cut",
        ] + options)
      #expect(start.status == 1, "\(start.err)")
      #expect(!start.reports(.clean, of: "cut"), "\(start.err)")
      #expect(start.err.contains("the supervisor of cut ended before it had begun"), "\(start.err)")
      let log = sandbox.folder(of: "cut").appending(path: "supervisor.log").path
      #expect(start.err.contains(log), "\(start.err)")
      let status = try await sandbox.status("cut")
      #expect(["stopped", "crashed"].contains(status["phase"]?.string), "\(status)")
      #expect(try await sandbox.qvm("start", "-d", "cut").status == 0)
    }
  }
}
