import Foundation
import TestSupport
import Testing

/// What is on the disk when, for a host whose power may fail at any moment.
@Suite(.timeLimit(.minutes(15))) struct DurabilityTests {
  @Test
  func `a new instance is on the disk as a whole before its name, and all of it before its guest`()
    async throws
  {
    try await Sandbox.with { sandbox in
      let log = sandbox.folder.appending(path: "strace.log")
      let run = try sandbox.start(
        try Tool.strace.url,
        [
          "-f", "-y", "-qq", "-s", "300", "-e", "signal=none", "-e", "trace=fsync,/^rename,sendto",
          "-o", log.path, try Sandbox.program.path, "run", "-d", "--name", "box", "demo", "1",
        ])
      try await eventually("the guest runs") { run.output.out.contains("box\n") }
      #expect(try await sandbox.qvm("stop", "--force", "box").status == 0)
      #expect(try await run.end().status == 0)

      let calls = try String(contentsOf: log, encoding: .utf8).split(separator: "\n")
      func first(_ parts: String...) throws -> Int {
        let index = calls.firstIndex { line in parts.allSatisfy { line.contains($0) } }
        return try #require(index, "no \(parts) in \(calls.joined(separator: "\n"))")
      }
      let instances = sandbox.cache.appending(path: "instances").path
      let named = try first("rename", "\"\(instances)/.new-box-", "\"\(instances)/box\"")
      let new = calls[..<named].filter { $0.contains("fsync(") && $0.contains("/.new-box-") }
      #expect(new.contains { $0.contains("/disk.qcow2>") })
      #expect(new.contains { $0.contains("/.instance.json.") })
      // The folder itself, after all that is in it.
      let folder = try #require(new.last)
      #expect(folder.contains(#/\/\.new-box-[0-9a-f]+>/#), "\(folder)")

      let running = try first("sendto(", #"{\"execute\":\"cont\""#)
      let record = try first("fsync(", "\(instances)/box/.boot.json.")
      let recorded = try first("fsync(", "<\(instances)/box>")
      let kept = try first("fsync(", "<\(instances)>")
      #expect(named < record && record < recorded && recorded < running)
      #expect(named < kept && kept < running)
    }
  }
}
