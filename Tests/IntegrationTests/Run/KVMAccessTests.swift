import Foundation
import QMPClient
import TestSupport
import Testing

/// A user who may not open /dev/kvm: QEMU falls back to tcg without a word.
@Suite(
  .timeLimit(.minutes(15)),
  .enabled(if: geteuid() == 0 && FileManager.default.fileExists(atPath: "/dev/kvm")))
struct KVMAccessTests {
  private func asUser(
    _ words: [String], accelerators: String, in sandbox: Sandbox
  ) async throws -> Sandbox.Output {
    try await sandbox.run(
      URL(filePath: "/usr/bin/env"),
      ["setpriv", "--reuid", "54321", "--regid", "54321", "--clear-groups", Sandbox.program.path]
        + words, environment: ["QVM_ACCEL": accelerators])
  }

  @Test func `a user outside the group kvm hears why it is slow, and what to do`() async throws {
    try await Sandbox.with { sandbox in
      let chown = try await sandbox.run(
        URL(filePath: "/usr/bin/env"), ["chown", "-R", "54321:54321", sandbox.folder.path])
      #expect(chown.status == 0)
      let run = try await asUser(
        ["run", "-d", "--name", "box", "demo", "1"], accelerators: "", in: sandbox)
      #expect(run.status == 0, "\(run.err)")
      #expect(run.out == "box\n")
      let hints = run.err.split(separator: "\n").filter { $0.contains("/dev/kvm") }
      #expect(hints.count == 1, "\(run.err)")
      #expect(hints.first?.contains("usermod -aG kvm") == true, "\(run.err)")
      #expect(
        try await asUser(["stop", "--force", "box"], accelerators: "", in: sandbox).status == 0)
      for (words, accelerators) in [(["start", "-d"], "tcg"), (["start", "-d", "-q"], "")] {
        let start = try await asUser(words + ["box"], accelerators: accelerators, in: sandbox)
        #expect(start.status == 0, "\(start.err)")
        #expect(!start.err.contains("/dev/kvm"), "\(start.err)")
        #expect(
          try await asUser(["stop", "--force", "box"], accelerators: "", in: sandbox).status == 0)
      }
    }
  }
}
