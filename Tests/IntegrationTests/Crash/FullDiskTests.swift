import Foundation
import QMPClient
import QVMControl
import TestSupport
import Testing

/// The disk under a VM runs full, or becomes read-only, while it runs: the VM outlives it.
@Suite(.timeLimit(.minutes(15))) struct FullDiskTests {
  /// A guest that writes 64 MiB, on a disk of 8.
  private func withWriter(_ body: @escaping (Sandbox, SmallDisk) async throws -> Void) async throws
  {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(.writing, as: "haiku-r1beta5-x86-64")
      let image = "images/v0.0.0/haiku-r1beta5-x86-64.qcow2"
      let planted = sandbox.folder.appending(path: "planted")
      try FileManager.default.moveItem(at: sandbox.cache, to: planted)
      try await SmallDisk.with(sandbox, at: sandbox.cache, size: "8m") { disk in
        try await disk.shell("cp -a '\(planted.path)'/images '\(sandbox.cache.path)'")
        try await disk.shell("test -f '\(sandbox.cache.path)/\(image)'")
        let run = try await disk.qvm(
          "run", "-d", "--name", "box", "--memory", "64M", "--ssh-address", "127.0.0.1", "haiku",
          "r1beta5")
        #expect(run.status == 0, "\(run.err)")
        try await eventually("the disk is full") {
          try await disk.qvm("status", "--json", "box").json["phase"]?.string == "paused"
        }
        try await body(sandbox, disk)
      }
    }
  }

  @Test func `a guest whose disk is full is paused, says why, and goes on when there is room`()
    async throws
  {
    try await withWriter { sandbox, disk in
      let status = try await disk.qvm("status", "--json", "box")
      #expect(status.status == 0)
      #expect(status.json["runState"]?.string == "io-error")
      let reason = try #require(status.json["reason"]?.string)
      #expect(reason.hasPrefix("io-error: the disk is full, "), "\(reason)")
      #expect(reason.hasSuffix("B free at \(sandbox.cache.path)/instances/box"), "\(reason)")

      let early = try await disk.qvm("start", "-d", "box")
      #expect(early.status == 1)
      #expect(early.reports(ResumeError.pausedAgain(name: "box", reason: "io-error: ")))
      #expect(try await disk.qvm("status", "--json", "box").json["phase"]?.string == "paused")

      try await disk.resize(sandbox.cache, to: "100m")
      let now = try await disk.qvm("status", "--json", "box").json["reason"]?.string
      #expect(now?.hasPrefix("io-error: the disk was full, ") == true, "\(now ?? "")")
      let start = try await disk.qvm("start", "-d", "box")
      #expect(start.status == 0, "\(start.err)")
      #expect(start.out == "box\n")
      #expect(start.err.contains("resumed box, which was paused (io-error"), "\(start.err)")
      let wait = try await disk.qvm(
        "wait", "box", "--for", "console:the disk is written to its end", "--timeout", "60")
      #expect(wait.status == 0, "\(wait.err)")
      #expect(try await disk.qvm("status", "--json", "box").json["reason"] == nil)
      let again = try await disk.qvm("start", "-d", "box")
      #expect(again.status == 1)
      #expect(
        again.reports(
          sandbox.running(
            "box", "start", as: try await disk.qvm("status", "--json", "box").json)))
      #expect(try await disk.qvm("stop", "box").status == 0)
      try await disk.shell("qemu-img check '\(sandbox.cache.path)/instances/box/disk.qcow2'")
    }
  }

  @Test func `a stop says that a guest on a full disk can't react, and ends QEMU at once`()
    async throws
  {
    try await withWriter { sandbox, disk in
      let clock = ContinuousClock.now
      let stop = try await disk.qvm("stop", "box")
      #expect(stop.status == 1)
      #expect(stop.err.contains("can't react (io-error: the disk is full"), "\(stop.err)")
      #expect(stop.err.contains("ending QEMU"), "\(stop.err)")
      #expect(clock.duration(to: .now) < .seconds(10))
      // Neither the disk's last words nor the outcome had much room.
      let status = try await disk.qvm("status", "--json", "box").json
      #expect(status["lastOutcome"]?["result"]?.string == "forced")
      #expect(status["lastOutcome"]?["reason"]?.string == "disk-error")
      #expect(status["lastOutcome"]?["rung"]?.string == "quit")
      try await disk.shell("qemu-img check '\(sandbox.cache.path)/instances/box/disk.qcow2'")
    }
  }

  @Test func `a foreground run reports once what happened and what to do`() async throws {
    try await withWriter { sandbox, disk in
      let watcher = try disk.start(
        "/usr/bin/env", [try Sandbox.program.path, "wait", "box", "--for", "console:none"])
      _ = watcher
      let stop = try await disk.qvm("stop", "--force", "box")
      #expect(stop.status == 0, "\(stop.err)")
      #expect(try await watcher.end().status == 5)
      // In the foreground from the beginning.
      let run = try disk.start(
        try Sandbox.program.path, ["run", "--name", "box", "--memory", "64M", "haiku", "r1beta5"])
      try await eventually("it is told") { run.output.err.contains("'qvm start box'") }
      try await eventually("it is paused again") {
        try await disk.qvm("status", "--json", "box").json["phase"]?.string == "paused"
      }
      kill(run.pid, SIGINT)
      let result = try await run.end()
      // Once while it is paused, and once where its end is told.
      #expect(result.err.split(separator: "\n").count { $0.contains("'qvm start box'") } == 2)
      let after = try await disk.qvm("status", "--json", "box").json["lastOutcome"]
      #expect(after?["reason"]?.string == "disk-error")
    }
  }

  // MARK: - qvm's own files

  /// How a disk stops taking anything: full to the last byte, or read-only to all but who has its
  /// files open.
  enum Trouble: String, CaseIterable, CustomTestStringConvertible {
    case full, readOnly

    var testDescription: String { rawValue }

    func line(_ folder: String) -> String {
      switch self {
      case .full:
        // The pid file that QEMU removes must not make room.
        """
        ln '\(folder)'/instances/box/qemu-*.pid '\(folder)/pinned'
        cat /dev/zero >'\(folder)/filler' 2>/dev/null || true
        """
      case .readOnly:
        "mount --bind '\(folder)' '\(folder)' && mount -o remount,ro,bind '\(folder)'"
      }
    }

    func mending(_ folder: String) -> String {
      switch self {
      case .full: "rm '\(folder)/filler' '\(folder)/pinned'"
      case .readOnly: "umount '\(folder)'"
      }
    }
  }

  @Test(arguments: Trouble.allCases, ["stop", "kill", "kill both"])
  func `how a VM ended is reported although it could not be recorded`(
    trouble: Trouble, end: String
  ) async throws {
    try await Sandbox.with { sandbox in
      let cache = sandbox.cache.path
      try await SmallDisk.with(sandbox, at: sandbox.cache, size: "8m") { disk in
        #expect(try await disk.qvm("run", "-d", "--name", "box", "demo", "1").status == 0)
        #expect(try await disk.qvm("wait", "box", "--timeout", "30").status == 0)
        // Of an earlier boot, which must not be taken for this one's.
        #expect(try await disk.qvm("stop", "--force", "box").status == 0)
        #expect(try await disk.qvm("start", "-d", "box").status == 0)
        #expect(try await disk.qvm("wait", "box", "--timeout", "30").status == 0)
        try await disk.shell(trouble.line(cache))

        let status = try await disk.qvm("status", "--json", "box").json
        #expect(status["phase"]?.string == "running")
        #expect(try await disk.qvm("list").status == 0)
        #expect(try await disk.qvm("logs", "box").out.contains("ready:"))
        let qemu = try #require(status["pid"]?.int.map(Int32.init))
        let supervisor = try #require(status["supervisorPid"]?.int.map(Int32.init))
        switch end {
        case "stop":
          let stop = try await disk.qvm("stop", "box")
          #expect(stop.status == 0, "\(stop.err)")
          #expect(stop.reports(.clean, of: "box"))
          #expect(
            stop.err.split(separator: "\n").count { $0.contains(cache) } == 1,
            "\(stop.err)")
        case "kill": kill(qemu, SIGKILL)
        default:
          kill(supervisor, SIGKILL)
          kill(qemu, SIGKILL)
        }
        let wanted = Self.phase(after: end, trouble)
        try await eventually("it has ended") {
          try await disk.qvm("status", "--json", "box").json["pid"] == nil
        }
        let after = try await disk.qvm("status", "--json", "box")
        #expect(after.status == 3)
        #expect(after.json["phase"]?.string == wanted.phase)
        #expect(after.json["lastOutcome"]?["reason"]?.string == wanted.reason)
        let refused = try await disk.qvm("start", "-d", "box")
        #expect(refused.status == 1)
        #expect(refused.err.contains(cache), "\(refused.err)")

        try await disk.shell(trouble.mending(cache))
        let mended = try await disk.qvm("status", "--json", "box").json
        if end != "kill both" { #expect(mended["phase"]?.string == wanted.phase) }
        #expect(try await disk.qvm("start", "-d", "box").status == 0)
        #expect(try await disk.qvm("wait", "box", "--timeout", "30").status == 0)
        #expect(try await disk.qvm("stop", "box").status == 0)
        try await disk.shell("qemu-img check '\(cache)/instances/box/disk.qcow2'")
        #expect(try await disk.qvm("rm", "box").status == 0)
      }
    }
  }

  private static func phase(
    after end: String, _ trouble: Trouble
  ) -> (phase: String, reason: String) {
    switch (end, trouble) {
    case ("stop", _): ("stopped", "guest-shutdown")
    case ("kill", _): ("crashed", "qemu-signal-9")
    case (_, .full): ("crashed", "qemu-killed")
    // QEMU's pid file would be there as well had it ended in an orderly way.
    case (_, .readOnly): ("stopped", "unobserved")
    }
  }
}
