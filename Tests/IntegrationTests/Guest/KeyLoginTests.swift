import Foundation
import QMPClient
import QVMControl
import TestSupport
import Testing

/// Guests that take no login without a key, and find it on a disk in the ways of three systems: by the
/// command lines of FreeBSD (virtio-blk), NetBSD (scsi-hd, BIOS) and OpenBSD (scsi-hd, UEFI, e1000).
@Suite(.timeLimit(.minutes(15))) struct KeyLoginTests {
  private struct System: Sendable {
    let guest: LinuxGuest
    let words: [String]
    let release: String
    /// Where the guest found the keys.
    let device: String

    var image: String { "\(words[0])-\(words[1])-x86-64" }
  }

  private static let systems = [
    "freebsd": System(
      guest: .freebsdKeys, words: ["freebsd", "14.2"], release: "v0.13.1",
      device: "a partition of another disk"),
    "netbsd": System(
      guest: .netbsdKeys, words: ["netbsd", "10.1"], release: "v0.7.0",
      device: "the last disk"),
    "openbsd": System(
      guest: .openbsdKeys, words: ["openbsd", "7.6"], release: "v0.14.0",
      device: "the second disk"),
  ]

  /// The words for `run`, with the guest's image in the cache.
  private func prepare(_ system: System, in sandbox: Sandbox) async throws -> [String] {
    try await sandbox.plant(try system.guest.image, as: system.image, tag: system.release)
    return ["--memory", "512M", "--platform", "x86-64"] + system.words
  }

  private func start(_ name: String, _ words: [String], in sandbox: Sandbox) async throws {
    let run = try await sandbox.qvm(["run", "-d", "--name", name] + words)
    #expect(run.status == 0, "\(run.err)")
  }

  /// Waits as long as a busy host needs.
  private func long(_ words: String..., in sandbox: Sandbox) async throws -> Sandbox.Output {
    try await sandbox.start(try Sandbox.program, words).end(within: .seconds(300))
  }

  @Test(arguments: ["freebsd", "netbsd", "openbsd"])
  func `commands log in by qvm's key, which the guest finds on its second disk`(
    name: String
  ) async throws {
    try await Sandbox.with { sandbox in
      let system = try #require(Self.systems[name])
      let words = try await prepare(system, in: sandbox)
      try await start("box", words, in: sandbox)
      // On OpenBSD the server is up before the keys are there, and the command waits for them.
      let first = try await long("exec", "box", "id -un; cat /run/keys-device", in: sandbox)
      #expect(first.out == "runner\n\(system.device)\n", "\(first.err)")
      let ssh = try await sandbox.qvm("ssh", "box", "cat", ".ssh/authorized_keys")
      let key = sandbox.cache.appending(path: "keys/id_ed25519")
      #expect(
        ssh.out == (try String(contentsOf: key.appendingPathExtension("pub"), encoding: .utf8)))
      #expect(try await sandbox.status("box")["paths"]?["sshKey"]?.string == key.path)
      let disk = sandbox.folder(of: "box").appending(path: "keys.img")
      #expect(try Data(contentsOf: disk).count == FATImage.size)
      // The server really takes nothing else.
      try FileManager.default.moveItem(at: key, to: sandbox.folder.appending(path: "away"))
      // With a user of its own, a command doesn't use the connection that was made before.
      let without = try await sandbox.qvm("exec", "-u", "runner", "box", "true")
      #expect(without.status == 255)
      #expect(without.err.contains("Permission denied"), "\(without.err)")
      try FileManager.default.moveItem(at: sandbox.folder.appending(path: "away"), to: key)
      if name == "freebsd" { try await checkManyKeys(in: sandbox) }
      if name == "netbsd" { try await checkShutdown(in: sandbox) }
      #expect(try await sandbox.qvm("rm", "-f", "box").status == 0)
      #expect(!sandbox.exists("box"))
    }
  }

  /// A server ends a connection after some keys that it doesn't know.
  private func checkManyKeys(in sandbox: Sandbox) async throws {
    let script = """
      set -e
      cd '\(sandbox.folder.path)'
      eval "$(ssh-agent -s)" >&2
      trap 'kill $SSH_AGENT_PID' EXIT
      for number in 1 2 3 4 5 6 7 8 9 10 11 12; do
        ssh-keygen -q -t ed25519 -N '' -f "agent-$number"
        ssh-add -q "agent-$number"
      done
      '\(try Sandbox.program.path)' exec box 'echo in' </dev/null
      '\(try Sandbox.program.path)' ssh -o LogLevel=DEBUG1 box true </dev/null
      """
    let run = try await sandbox.start(URL(filePath: "/bin/sh"), ["-c", script])
      .end(within: .seconds(120))
    #expect(run.status == 0, "\(run.err)")
    #expect(run.out == "in\n", "\(run.err)")
  }

  /// The shutdown by ssh logs in with the key, too.
  private func checkShutdown(in sandbox: Sandbox) async throws {
    kill(try #require(sandbox.pids(of: "box").supervisor), SIGKILL)
    try FileManager.default.removeItem(
      at: sandbox.folder(of: "box").appending(path: "monitor.sock"))
    let stop = try await long("stop", "box", in: sandbox)
    #expect(stop.status == 0, "\(stop.err)")
    #expect(try await sandbox.status("box")["lastOutcome"]?["rung"]?.string == "ssh")
  }

  @Test func `a run with a command logs in by the key, and an instance keeps the user's keys`()
    async throws
  {
    try await Sandbox.with { sandbox in
      let system = try #require(Self.systems["openbsd"])
      let words = try await prepare(system, in: sandbox)
      let own = sandbox.folder.appending(path: "own")
      let make = try await sandbox.run(
        URL(filePath: "/usr/bin/env"), ["ssh-keygen", "-q", "-N", "", "-f", own.path])
      #expect(make.status == 0, "\(make.err)")
      let line = try String(contentsOf: own.appendingPathExtension("pub"), encoding: .utf8)
      let run = try await sandbox.start(
        try Sandbox.program,
        ["run", "--name", "box", "--ssh-key", own.path] + words
          + ["--", "cat .ssh/authorized_keys; exit 7"]
      ).end(within: .seconds(300))
      #expect(run.status == 7, "\(run.err)")
      let keys = run.out.split(separator: "\n").map { "\($0)\n" }
      #expect(keys.count == 2)
      #expect(keys.last == line)
      #expect(run.reports(.clean, of: "box"), "\(run.err)")

      // The next boot has them again, and they are the user's to log in with.
      #expect(try await sandbox.qvm("start", "-d", "box").status == 0)
      let exec = try await long("exec", "box", "true", in: sandbox)
      #expect(exec.status == 0, "\(exec.err)")
      let port = try #require(try await sandbox.status("box")["sshPort"]?.int)
      let direct = try await sandbox.run(
        URL(filePath: "/usr/bin/env"),
        [
          "ssh", "-F", "/dev/null", "-i", own.path, "-o", "IdentitiesOnly=yes", "-o",
          "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
          "-p", "\(port)", "runner@127.0.0.1", "id -un",
        ])
      #expect(direct.out == "runner\n", "\(direct.err)")
      #expect(try await sandbox.qvm("stop", "--force", "box").status == 0)
    }
  }
}
