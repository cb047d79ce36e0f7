import Foundation
import QMPClient
import QVMControl
import TestSupport
import Testing

/// `run --disk SIZE`.
@Suite(.timeLimit(.minutes(15))) struct DiskSizeTests {
  private func virtualSize(of instance: String, in sandbox: Sandbox) async throws -> Int? {
    let info = try await sandbox.run(
      try Tool.qemuImg.url, ["info", "-U", "--output=json", sandbox.disk(of: instance)])
    return info.json["virtual-size"]?.int
  }

  @Test func `an instance may have a larger disk than its image, and keeps it`() async throws {
    try await Sandbox.with { sandbox in
      // Its guest needs no more than 1 MiB.
      let (raw, base) = (sandbox.folder.appending(path: "raw.img"), 4 << 20)
      try FileManager.default.copyItem(at: try Guest.demo.image, to: raw)
      try FileHandle(forWritingTo: raw).truncate(atOffset: UInt64(base))
      try await sandbox.plant(raw, as: "freebsd-14.2-x86-64")
      let words = ["--memory", "64M", "--platform", "x86-64", "freebsd", "14.2"]
      let small = try await sandbox.qvm(["run", "-d", "--name", "box", "--disk", "1M"] + words)
      #expect(small.status == 64)
      #expect(
        small.reports(RunOptionError.diskTooSmall("1M", least: base, guest: "FreeBSD")),
        "\(small.err)")
      #expect(!sandbox.exists("box"))

      let run = try await sandbox.qvm(["run", "-d", "--name", "box", "--disk", "30G"] + words)
      #expect(run.status == 0, "\(run.err)")
      #expect(run.err.contains("'growfs /'"), "\(run.err)")
      #expect(try await virtualSize(of: "box", in: sandbox) == 30 << 30)
      #expect(sandbox.file("instance.json", of: "box")["options"]?["disk"]?.string == "30G")
      #expect(try await sandbox.qvm("stop", "--force", "box").status == 0)

      let other = try await sandbox.qvm(["run", "-d", "--name", "box", "--disk", "31G"] + words)
      #expect(other.status == 1)
      let error = InstanceError.otherDiskSize(name: "box", has: "30 GiB", wanted: "31 GiB")
      #expect(other.reports(error), "\(other.err)")
      let same = try await sandbox.qvm(["run", "-d", "--name", "box", "--disk", "30720M"] + words)
      #expect(same.status == 0, "\(same.err)")
      #expect(!same.err.contains("growfs"))
      #expect(try await sandbox.qvm("stop", "--force", "box").status == 0)
      #expect(try await sandbox.qvm("start", "-d", "box").status == 0)
      #expect(try await sandbox.qvm("stop", "--force", "box").status == 0)
    }
  }

  @Test func `a disk smaller than a released image is an error before a download`() async throws {
    try await Sandbox.with { sandbox in
      let run = try await sandbox.qvm(
        "run", "-d", "--name", "box", "--disk", "8GiB", "netbsd", "10.1")
      #expect(run.status == 64)
      #expect(run.reports(RunOptionError.diskTooSmall("8G", least: 12 << 30, guest: "NetBSD")))
      for word in ["30", "0G", "-1G", "17T", "x", "", "1.5G", "30K"] {
        let run = try await sandbox.qvm("run", "-d", "--disk", word, "demo", "1")
        #expect(run.status == 64)
        #expect(run.reports(RunOptionError.badDiskSize(word)), "\(run.err)")
      }
      #expect(!sandbox.exists("box"))
    }
  }
}
