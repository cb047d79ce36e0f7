import Foundation
import QMPClient
import QVMControl
import TestSupport
import Testing

/// QEMUs that fail before the guest executes an instruction.
@Suite(.timeLimit(.minutes(15))) struct StartFailureTests {
  @Test func `an accelerator that fails is said so, and the guest starts without it`()
    async throws
  {
    try await Sandbox.with { sandbox in
      sandbox.environment["QVM_ACCEL"] = "kvm:tcg"
      try await sandbox.useQEMU(
        script: """
          case "$*" in
            *accel=kvm:tcg*)
              echo 'qemu: error: failed to set MSR 0x10a to 0x69' >&2
              kill -ABRT $$;;
          esac
          exec "$REAL" "$@"
          """)
      let run = try await sandbox.qvm("run", "-d", "--name", "slower", "demo", "1")
      #expect(run.status == 0, "\(run.err)")
      #expect(run.err.contains("MSR 0x10a"))
      #expect(run.err.contains("accel=tcg"))
      #expect(try await sandbox.status("slower")["accelerator"]?.string == "tcg")
      #expect(try await sandbox.qvm("wait", "slower", "--timeout", "30").status == 0)
    }
  }

  @Test func `where tcg isn't allowed the failure is the user's to decide`() async throws {
    try await Sandbox.with { sandbox in
      sandbox.environment["QVM_ACCEL"] = "kvm"
      try await sandbox.useQEMU(
        script:
          "echo 'qemu: error: failed to set MSR 0x10a to 0x69' >&2; kill -ABRT $$")
      let run = try await sandbox.qvm("run", "-d", "--name", "fails", "demo", "1")
      #expect(run.status == 1)
      #expect(run.err.contains("\(ProcessEnd.signalled(SIGABRT))"))
      #expect(run.err.contains("MSR 0x10a"))
      #expect(run.err.contains("--accel tcg"))
      // Nothing was ever written to its disk.
      #expect(try await sandbox.qvm("status", "fails").status == 4)
    }
  }

  @Test func `a QEMU that ends at once is quoted`() async throws {
    try await Sandbox.with { sandbox in
      try await sandbox.useQEMU(
        script:
          "echo 'qemu: something is wrong with the weather' >&2; exit 1")
      let run = try await sandbox.qvm("run", "-d", "demo", "1")
      #expect(run.status == 1)
      #expect(run.err.contains("\(ProcessEnd.exited(1))"))
      #expect(run.err.contains("something is wrong with the weather"))
      #expect(try await sandbox.qvm("list", "--json").json["instances"] == .array([]))
    }
  }

  @Test func `an unknown argument for QEMU is answered in QEMU's words, and a kept disk stays`()
    async throws
  {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--name", "kept", "demo", "1")
      _ = try await sandbox.qvm("stop", "--force", "kept")
      let run = try await sandbox.qvm(
        "run", "-d", "--rm", "--name", "kept", "--qemu-arg", "-nonsense", "demo", "1")
      #expect(run.status == 1)
      #expect(run.err.contains("-nonsense: invalid option"))
      let status = try await sandbox.status("kept")
      #expect(status["phase"]?.string == "crashed")
      #expect(status["lastOutcome"]?["result"]?.string == "failed-to-start")
    }
  }

  @Test func `a start that lacked its port, and so never came to a QEMU, is what is told of last`()
    async throws
  {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--name", "kept", "demo", "1")
      _ = try await sandbox.qvm("stop", "--force", "kept")
      _ = try await sandbox.qvm("run", "-d", "--name", "other", "demo", "1")
      let port = try #require(try await sandbox.status("other")["sshPort"]?.int)
      let run = try await sandbox.qvm(
        "run", "-d", "--name", "kept", "--ssh-port", "\(port)", "--ssh-address", "127.0.0.1",
        "demo",
        "1")
      #expect(run.status == 1)
      #expect(run.err.contains("'other'"), "\(run.err)")
      let status = try await sandbox.status("kept")
      #expect(status["phase"]?.string == "crashed")
      #expect(status["lastOutcome"]?["result"]?.string == "failed-to-start")
      #expect(try await sandbox.qvm("start", "-d", "kept").status == 0)
    }
  }

  @Test(arguments: [[], ["--rm"]])
  func `a new instance that lacks its port leaves nothing`(options: [String]) async throws {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--name", "other", "demo", "1")
      let port = try #require(try await sandbox.status("other")["sshPort"]?.int)
      let run = try await sandbox.qvm(
        ["run", "-d", "--name", "new", "--ssh-port", "\(port)", "--ssh-address", "127.0.0.1"]
          + options + ["demo", "1"])
      #expect(run.status == 1)
      #expect(run.err.contains("'other'"), "\(run.err)")
      let folder = sandbox.cache.appending(path: "instances").path
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["other"])
    }
  }

  @Test func `the conversation with QEMU can be written down`() async throws {
    try await Sandbox.with { sandbox in
      let file = sandbox.folder.appending(path: "talk.qmp")
      _ = try await sandbox.qvm(
        "run", "-d", "--name", "talks", "--record-qmp", file.path, "demo", "1")
      _ = try await sandbox.qvm("wait", "talks", "--timeout", "30")
      _ = try await sandbox.qvm("stop", "talks")
      let transcript = try Transcript(
        parsing: try String(contentsOf: file, encoding: .utf8), name: "talk.qmp")
      let lines = transcript.steps.map(\.step.line)
      #expect(lines.contains { $0.hasPrefix("<- ") && $0.contains("\"QMP\"") })
      #expect(lines.contains { $0.hasPrefix("-> ") && $0.contains("system_powerdown") })
      #expect(lines.contains { $0.hasPrefix("<- ") && $0.contains("guest-shutdown") })
    }
  }
}
