import Foundation
import QMPClient
import TestSupport
import Testing

/// `qvm run` of an instance that exists, and with less said.
@Suite(.timeLimit(.minutes(15))) struct RunExistingTests {
  private func memory(of instance: String, in sandbox: Sandbox) -> String? {
    let words =
      sandbox.file("boot.json", of: instance)["command"]?.array?.compactMap(\.string) ?? []
    return words.firstIndex(of: "-m").map { words[$0 + 1] }
  }

  @Test func `it keeps the options that it was created with; others hold for one boot`()
    async throws
  {
    try await Sandbox.with { sandbox in
      try await sandbox.makeSeed("box", ["--memory", "96M", "demo", "1"])
      let dry = try await sandbox.qvm("run", "--dry-run", "--name", "box", "demo", "1")
      #expect(dry.out.contains("96M"), "\(dry.out)")
      let same = try await sandbox.qvm("run", "-d", "--name", "box", "demo", "1")
      #expect(same.status == 0, "\(same.err)")
      #expect(memory(of: "box", in: sandbox) == "96M")
      #expect(!same.err.contains("--memory"), "\(same.err)")
      #expect(try await sandbox.qvm("stop", "--force", "box").status == 0)

      let other = try await sandbox.qvm(
        "run", "-d", "--name", "box", "--memory", "128M", "demo", "1")
      #expect(memory(of: "box", in: sandbox) == "128M")
      #expect(other.err.contains("--memory"), "\(other.err)")
      #expect(try await sandbox.qvm("stop", "--force", "box").status == 0)
      #expect(try await sandbox.qvm("start", "-d", "box").status == 0)
      #expect(memory(of: "box", in: sandbox) == "96M")
      #expect(try await sandbox.qvm("stop", "--force", "box").status == 0)
    }
  }

  @Test func `with --rm the user is told that a kept disk will go`() async throws {
    try await Sandbox.with { sandbox in
      try await sandbox.makeSeed("box")
      let run = try await sandbox.qvm("run", "-d", "--rm", "--name", "box", "demo", "1")
      #expect(run.err.contains("--rm"), "\(run.err)")
      _ = try await sandbox.qvm("wait", "box", "--timeout", "30")
      #expect(try await sandbox.qvm("stop", "box").status == 0)
      #expect(try await sandbox.qvm("status", "box").status == 4)
      // Of one that is made for this the user need not be told.
      let new = try await sandbox.qvm("run", "-d", "--rm", "--name", "box", "demo", "1")
      #expect(!new.err.contains("--rm"), "\(new.err)")
      #expect(try await sandbox.qvm("stop", "--force", "box").status == 0)
    }
  }

  @Test func `quiet, it says nothing of a boot and an end that went well`() async throws {
    try await Sandbox.with { sandbox in
      let run = try sandbox.start("run", "-q", "--rm", "--name", "box", "demo", "1")
      _ = try await eventually("the guest is ready") {
        try await sandbox.qvm("wait", "box", "--timeout", "30").status == 0
      }
      run.signal(SIGTERM)
      let end = try await run.end()
      #expect(end.status == 0)
      #expect(end.err.isEmpty)
      #expect(end.out.contains("qvm demo guest"))
    }
  }

  @Test func `a value in the environment that is wrong is blamed on its variable`() async throws {
    try await Sandbox.with { sandbox in
      for (name, value) in [("QVM_ACCEL", "turbo"), ("QVM_SSH_ADDRESS", "300.1.1.1")] {
        let run = try await sandbox.run(
          try Sandbox.program, ["run", "-d", "demo", "1"], environment: [name: value])
        #expect(run.status == 64)
        #expect(run.err.contains(name), "\(run.err)")
      }
    }
  }
}
