import Foundation
import QMPClient
import TestSupport
import Testing

/// What is known before a guest is booted for a command, and what is told while it boots.
@Suite(.timeLimit(.minutes(15))) struct GuestCommandTests {
  private static let words = ["run", "--name", "box", "freebsd", "14.2", "--platform", "x86-64"]

  /// Has an image in the cache that sends no greeting.
  private func prepare(_ sandbox: Sandbox) async throws {
    try await sandbox.plant(.demo, as: "freebsd-14.2-x86-64")
  }

  @Test(arguments: [
    ("echo 'No user exists for uid '$(id -ru) >&2; exit 255", "/etc/passwd"),
    ("echo 'libcrypto: version mismatch' >&2; exit 1", "libcrypto"),
  ])
  func `an ssh that doesn't run here keeps a run with a command from booting`(
    script: String, says: String
  ) async throws {
    try await Sandbox.with { sandbox in
      try await prepare(sandbox)
      try await sandbox.useSSH(script: script)
      let run = try await sandbox.qvm(Self.words + ["--", "uname"])
      #expect(run.status == 1)
      #expect(run.err.contains(says), "\(run.err)")
      #expect(!sandbox.exists("box"))
      // Without a command nothing of it is needed.
      #expect(try await sandbox.qvm(["run", "-d"] + Self.words.dropFirst()).status == 0)
      let ssh = try await sandbox.qvm("ssh", "box", "--", "uname")
      #expect(ssh.status == 1)
      #expect(ssh.err.contains(says), "\(ssh.err)")
    }
  }

  @Test(.enabled(if: geteuid() == 0))
  func `a user without a name is reported by ssh itself`() async throws {
    try await Sandbox.with { sandbox in
      try await prepare(sandbox)
      let chown = try await sandbox.run(
        URL(filePath: "/usr/bin/env"), ["chown", "-R", "54321:0", sandbox.folder.path])
      #expect(chown.status == 0)
      let run = try await sandbox.run(
        URL(filePath: "/usr/bin/env"),
        ["setpriv", "--reuid", "54321", "--regid", "0", "--clear-groups", Sandbox.program.path]
          + Self.words + ["--", "uname"])
      #expect(run.status == 1)
      #expect(run.err.contains("uid 54321"), "\(run.err)")
      #expect(run.err.contains("ci:x:54321:"), "\(run.err)")
      #expect(!sandbox.exists("box"))
    }
  }

  @Test func `a wait without an end says what it lacks, with the console's last line`() async throws
  {
    try await Sandbox.with { sandbox in
      try await prepare(sandbox)
      _ = try await sandbox.qvm(["run", "-d"] + Self.words.dropFirst())
      let port = try #require(try await sandbox.status("box")["sshPort"]?.int)
      let wait = try await sandbox.qvm("wait", "box", "--json", "--timeout", "11")
      #expect(wait.status == 124)
      #expect(wait.json["result"]?.string == "timed-out")
      let lines = wait.err.split(separator: "\n")
      #expect(lines[0].hasPrefix("qvm: still waiting until box is ready, for 10 s: "))
      #expect(lines[0].contains("on port \(port) "))
      #expect(lines[1].contains("ready: "), "\(wait.err)")
      #expect(wait.err.matches(of: /for \d+ s: no ssh/).count == 1)
      let status = try await sandbox.status("box")
      #expect(status["ready"]?.bool == false)
      #expect(status["phase"]?.string == "running")
      #expect(try await sandbox.qvm("status", "box").out.contains("running (booting)"))
    }
  }

  @Test func `a guest that restarts is booting again until it is ready again`() async throws {
    try await Sandbox.with { sandbox in
      #expect(try await sandbox.qvm("run", "-d", "--name", "box", "demo", "1").status == 0)
      #expect(try await sandbox.qvm("wait", "box", "--timeout", "30").status == 0)
      try await eventually("ready") { try await sandbox.status("box")["ready"]?.bool == true }
      let monitor = try #require(try await sandbox.status("box")["paths"]?["monitor"]?.string)
      let probe = try BlockingQMPClient(path: monitor, timeout: .seconds(10))
      // The firmware takes a while, and stands still meanwhile.
      _ = try probe.execute(Stop())
      _ = try probe.execute(SystemReset())
      try await eventually("booting") { try await sandbox.status("box")["ready"]?.bool == false }
      _ = try probe.execute(Cont())
      try await eventually("ready") { try await sandbox.status("box")["ready"]?.bool == true }
    }
  }
}
