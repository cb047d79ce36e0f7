import Foundation
import QMPClient
import QVMControl
import TestSupport
import Testing

/// Disks that can't be written for another reason than a lack of room: a limit on the size of files
/// stands for quotas and broken disks, too.
@Suite(.timeLimit(.minutes(15))) struct WriteErrorTests {
  /// A guest that writes 64 MiB, whose QEMU may make files of 8.
  private func withLimited(
    _ options: [String] = [], _ body: (Sandbox) async throws -> Void
  ) async throws {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(.writing, as: "haiku-r1beta5-x86-64")
      try await sandbox.useQEMU(script: "ulimit -S -f 16384; exec $REAL \"$@\"")
      let run = try await sandbox.qvm(
        ["run", "-d", "--name", "box", "--memory", "64M"] + options + ["haiku", "r1beta5"])
      #expect(run.status == 0, "\(run.err)")
      try await body(sandbox)
    }
  }

  private func awaitPause(_ sandbox: Sandbox) async throws -> JSONValue {
    try await eventually("it is paused") {
      try await sandbox.status("box")["phase"]?.string == "paused"
    }
    return try await sandbox.status("box")
  }

  private func mend(_ qemu: Int, _ sandbox: Sandbox) async throws {
    let prlimit = try await sandbox.run(
      URL(filePath: "/usr/bin/env"), ["prlimit", "--pid", "\(qemu)", "--fsize=unlimited"])
    #expect(prlimit.status == 0, "\(prlimit.err)")
  }

  @Test func `the guest stands still, says why, and goes on when that is mended`() async throws {
    try await withLimited { sandbox in
      let status = try await awaitPause(sandbox)
      #expect(status["runState"]?.string == "io-error")
      #expect(
        status["reason"]?.string
          == "io-error: the disk at \(sandbox.folder(of: "box").path) can't be written: File too large"
      )
      #expect(status["diskError"]?.string == "write: File too large")
      let early = try await sandbox.qvm("start", "-d", "box")
      #expect(early.status == 1, "\(early.err)")
      #expect(early.err.contains("File too large"))

      let pid = try #require(status["pid"]?.int)
      try await mend(pid, sandbox)
      #expect(try await sandbox.qvm("start", "-d", "box").status == 0)
      let wait = try await sandbox.qvm(
        "wait", "box", "--for", "console:the disk is written to its end", "--timeout", "60")
      #expect(wait.status == 0, "\(wait.err)")
      #expect(try await sandbox.qvm("stop", "box").status == 0)
      // Nothing was lost.
      let outcome = try await sandbox.status("box")["lastOutcome"]
      #expect(outcome?["result"]?.string == "clean")
      #expect(outcome?["diskError"] == nil)
    }
  }

  @Test(arguments: [false, true])
  func `a stop in the middle of it fails, says what the disk lacks, and keeps it`(
    isOrphan: Bool
  ) async throws {
    try await withLimited(["--rm"]) { sandbox in
      _ = try await awaitPause(sandbox)
      if isOrphan { kill(try #require(sandbox.pids(of: "box").supervisor), SIGKILL) }
      let stop = try await sandbox.qvm("stop", "box")
      #expect(stop.status == 1)
      #expect(stop.err.contains("can't react (io-error: the disk at "), "\(stop.err)")
      #expect(stop.err.contains("write: File too large"), "\(stop.err)")
      #expect(stop.err.contains("'qvm start box'"), "\(stop.err)")
      for _ in 0..<2 { _ = try await sandbox.qvm("list") }
      let outcome = try await sandbox.status("box")["lastOutcome"]
      #expect(outcome?["result"]?.string == "forced")
      #expect(outcome?["reason"]?.string == "disk-error")
      #expect(outcome?["diskError"]?.string == "write: File too large")
      #expect(FileManager.default.fileExists(atPath: sandbox.disk(of: "box")))
    }
  }

  @Test func `a stop lets the guest go on and power off where that is mended`() async throws {
    try await withLimited(["--rm"]) { sandbox in
      let pid = try #require(try await awaitPause(sandbox)["pid"]?.int)
      try await mend(pid, sandbox)
      let stop = try await sandbox.qvm("stop", "box")
      #expect(stop.status == 0, "\(stop.err)")
      #expect(stop.reports(.clean, of: "box"), "\(stop.err)")
      #expect(!sandbox.exists("box"))
    }
  }

  @Test func `a forced end removes what was to be removed, as the user has it`() async throws {
    try await withLimited(["--rm"]) { sandbox in
      _ = try await awaitPause(sandbox)
      #expect(try await sandbox.qvm("stop", "--force", "box").status == 0)
      #expect(!sandbox.exists("box"))
    }
  }

  @Test func `a supervisor that adopts a paused guest finds out why it is paused`() async throws {
    try await withLimited { sandbox in
      _ = try await awaitPause(sandbox)
      kill(try #require(sandbox.pids(of: "box").supervisor), SIGKILL)
      #expect(try await sandbox.qvm("start", "-d", "box").status == 1)
      try await eventually("the disk is blamed") {
        try await sandbox.status("box")["reason"]?.string?.hasPrefix("io-error: the disk at ")
          == true
      }
      #expect(try await sandbox.qvm("stop", "--force", "box").status == 0)
    }
  }

  @Test func `errors that the user wants the guest to hear of are told to both`() async throws {
    let options = ["--qemu-arg", "-set", "--qemu-arg", "drive.drive0.werror=report"]
    try await withLimited(options) { sandbox in
      try await eventually("the guest was told") {
        try await sandbox.status("box")["diskError"]?.string == "write: File too large"
      }
      #expect(try await sandbox.status("box")["phase"]?.string == "running")
      let stop = try await sandbox.qvm("stop", "box")
      #expect(stop.err.contains("write: File too large"), "\(stop.err)")
      let outcome = try await sandbox.status("box")["lastOutcome"]
      #expect(outcome?["diskError"]?.string == "write: File too large")
    }
  }
}
