import Foundation
import QMPClient
import QVMControl
import TestSupport
import Testing

/// Versions as people say them, by `run` and `pull`.
@Suite(.timeLimit(.minutes(15))) struct VersionChoiceTests {
  @Test func `a part of a version is the newest one, which is downloaded and booted`() async throws
  {
    try await Sandbox.with { sandbox in
      let server = try await ReleasedImage.serve("v0.1.0", in: &sandbox)
      let pull = try await sandbox.qvm("pull", "haiku:r1")
      #expect(pull.status == 0, "\(pull.err)")
      #expect(pull.out.hasSuffix("/images/v0.1.0/haiku-r1beta5-x86-64.qcow2\n"))
      #expect(pull.err.contains("using haiku r1beta5"))
      let quiet = try await sandbox.qvm("pull", "-q", "haiku", "latest")
      #expect(quiet.status == 0 && quiet.err.isEmpty, "\(quiet.err)")
      let none = try await sandbox.qvm("run", "haiku", "r2")
      #expect(none.status == 1 && none.err.contains("r1beta5"), "\(none.err)")
      _ = server
    }
  }

  @Test
  func `without a network an image of the cache is booted, and an instance by its own version`()
    async throws
  {
    try await Sandbox.with { sandbox in
      for version in ["14.9", "14.10"] {
        try await sandbox.plant(.demo, as: "freebsd-\(version)-x86-64")
      }
      let words = ["--platform", "x86-64", "--memory", "64M"]
      let run = try await sandbox.qvm(["run", "-d", "--name", "box"] + words + ["freebsd", "14"])
      #expect(run.status == 0, "\(run.err)")
      #expect(run.err.contains("using freebsd 14.10 for x86-64, the newest 14 in the cache"))
      #expect(try await sandbox.status("box")["version"]?.string == "14.10")
      #expect(try await sandbox.qvm("stop", "--force", "box").status == 0)
      let again = try await sandbox.qvm("run", "-d", "--name", "box", "freebsd")
      #expect(again.status == 0 && !again.err.contains("using"), "\(again.err)")
      #expect(try await sandbox.qvm("stop", "--force", "box").status == 0)
      let other = try await sandbox.qvm("run", "-d", "--name", "box", "freebsd:13")
      #expect(other.status == 1)
      #expect(
        other.reports(
          InstanceError.exists(name: "box", as: "freebsd-14.10-x86-64", wanted: "freebsd 13")))
      let dry = try await sandbox.qvm(["run", "--dry-run", "openbsd"])
      #expect(dry.status == 0 && dry.out.contains("-nographic"), "\(dry.err)")
      let offline = try await sandbox.qvm("run", "--platform", "x86-64", "freebsd", "13.7")
      #expect(offline.status == 1)
      #expect(offline.err.hasPrefix("qvm: freebsd 13.7 for x86-64 is not in the cache"))
      #expect(offline.err.contains("The cache has freebsd 14.9, 14.10"))
      #expect(offline.err.contains("13.5, 14.0"), "\(offline.err)")
    }
  }

  @Test func `completion offers the versions, also behind a colon`() async throws {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(.demo, as: "freebsd-99.1-x86-64")
      for command in ["run", "pull"] {
        let versions = try await sandbox.qvm("__complete", command, "freebsd", "")
        let lines = versions.out.split(separator: "\n")
        #expect(lines.first == "99.1" && lines.contains("14.2"), "\(versions.out)")
        let joined = try await sandbox.qvm("__complete", command, "freebsd:99")
        #expect(joined.out == "freebsd:99.1\n")
        #expect(try await sandbox.qvm("__complete", command, "linux", "").out == "")
      }
    }
  }
}
