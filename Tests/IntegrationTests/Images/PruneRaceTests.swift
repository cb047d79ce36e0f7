import Foundation
import QMPClient
import TestSupport
import Testing

/// `qvm prune` beside commands that need what it removes, and killed at every step.
@Suite(.timeLimit(.minutes(15))) struct PruneRaceTests {
  /// `QVM_TEST_ROUNDS` makes a longer campaign of it.
  private static let rounds =
    ProcessInfo.processInfo.environment["QVM_TEST_ROUNDS"].flatMap { Int($0) } ?? 20

  @Test func `runs and prunes at the same time leave every instance its base image`() async throws {
    try await Sandbox.with { sandbox in
      let server = try await ReleasedImage.serve("v0.1.0", in: &sandbox)
      for round in 0..<Self.rounds {
        let run = try sandbox.start(
          try Sandbox.program,
          ["run", "-d", "--name", "vm\(round)", "--memory", "64M"] + ReleasedImage.words)
        var prunes: [RunningCommand] = []
        for delay in 0..<4 {
          // At different moments of the run, whichever these are.
          if delay > 0 { try await Task.sleep(for: .milliseconds(20)) }
          prunes.append(try sandbox.start(try Sandbox.program, ["prune", "--yes"]))
        }
        for prune in prunes {
          let output = try await prune.end()
          #expect(output.status == 0, "\(output.err)")
        }
        let output = try await run.end()
        #expect(output.status == 0, "\(output.err)")
        #expect(
          try await sandbox.run(
            try Tool.qemuImg.url,
            [
              "info", "-U", "--backing-chain",
              sandbox.cache.appending(path: "instances/vm\(round)/disk.qcow2").path,
            ]
          ).status == 0)
        #expect(try await sandbox.qvm("rm", "--force", "vm\(round)").status == 0)
        if round % 2 == 0 { _ = try await sandbox.qvm("prune", "--yes") }
      }
      // That the test means anything: images were removed and fetched again.
      let transfers = server.transfers(of: ReleasedImage.asset).count
      print("\(Self.rounds) rounds: the image was fetched \(transfers) times")
      #expect(transfers >= Self.rounds / 2)
    }
  }

  @Test func `prune leaves the image whose overlay is being made at that very moment`()
    async throws
  {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(.demo, as: ReleasedImage.name)
      let mark = try await sandbox.holdDisks()
      let run = try sandbox.start(
        try Sandbox.program,
        ["run", "-d", "--name", "box", "--memory", "64M"] + ReleasedImage.words)
      try await eventually("the overlay is being made") {
        FileManager.default.fileExists(atPath: mark.path)
      }
      let prune = try sandbox.start("prune", "--yes")
      try await eventually("prune has looked, or is gone") {
        let held = try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(prune.pid)/fd")
        return held.map { $0.count > 3 } ?? true
      }
      try FileManager.default.removeItem(at: mark)
      let output = try await run.end()
      #expect(output.status == 0, "\(output.err)")
      #expect(try await prune.end().status == 0)
      let state = try await sandbox.qvm("images", "--json").json["images"]?.array?.first
      #expect(state?["state"]?.string == "unverified")
      #expect(state?["usedBy"] == .array(["box"]))
    }
  }

  @Test(arguments: ["unlink", "unlinkat", "rmdir", "flock", "openat"])
  func `a prune that is killed anywhere is completed by the next`(call: String) async throws {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(.demo, as: "haiku-r1beta5-x86-64", tag: "v0.1.0")
      _ = try await sandbox.boot("box")
      _ = try await sandbox.qvm("stop", "--force", "box")
      let log = sandbox.folder.appending(path: "strace.log")
      let downloads = sandbox.cache.appending(path: "downloads")
      let planted = sandbox.cache.appending(path: "images/v0.7.0")
      let spare = sandbox.folder.appending(path: "spare")
      try await sandbox.plant(.demo, as: "netbsd-10.1-x86-64", tag: "v0.7.0")
      try FileManager.default.moveItem(at: planted, to: spare)
      var kills = 0
      // Opening files is what all of it begins with: only some of those are tried.
      for step in stride(from: 1, through: 400, by: call == "openat" ? 7 : 1) {
        try? FileManager.default.removeItem(at: planted)
        try FileManager.default.copyItem(at: spare, to: planted)
        try Data("x".utf8).write(to: downloads.appending(path: "a.tar@v1.partial"))
        let killed = try await sandbox.run(
          URL(filePath: "/usr/bin/env"),
          [
            "strace", "-f", "-o", log.path, "-e", "trace=\(call)", "-e",
            "inject=\(call):signal=KILL:when=\(step)", try Sandbox.program.path, "prune", "--yes",
          ])
        if !(try String(contentsOf: log, encoding: .utf8)).contains("killed by SIGKILL") {
          #expect(killed.status == 0)
          break
        }
        kills += 1
        let next = try await sandbox.qvm("prune", "--yes")
        #expect(next.status == 0, "step \(step): \(next.err)")
        #expect(!FileManager.default.fileExists(atPath: planted.path), "step \(step)")
        let left = try FileManager.default.contentsOfDirectory(atPath: downloads.path)
        #expect(left.isEmpty, "step \(step)")
      }
      if call != "unlinkat" { #expect(kills > 0) }
      let verify = try await sandbox.qvm("verify")
      #expect(verify.status == 0, "\(verify.err)")
      #expect(try await sandbox.qvm("start", "-d", "box").status == 0)
    }
  }
}
