import Foundation
import QMPClient
import TestSupport
import Testing

/// So many instances that `list` goes by what it found before.
@Suite(.timeLimit(.minutes(15))) struct ManyInstancesTests {
  /// The states in the table, by name.
  private func states(_ sandbox: Sandbox) async throws -> [String: String] {
    let list = try await sandbox.qvm("list")
    #expect(list.status == 0, "\(list.err)")
    let rows = list.out.split(separator: "\n").dropFirst().map { $0.split(separator: " ") }
    return Dictionary(uniqueKeysWithValues: rows.map { (String($0[0]), String($0[4])) })
  }

  @Test func `what the table says is true, whatever happened since the last`() async throws {
    try await Sandbox.with { sandbox in
      try await sandbox.makeSeed("vm-00")
      let names = (0..<70).map { "vm-\($0 < 10 ? "0" : "")\($0)" }
      let index = sandbox.cache.appending(path: "settled.index")
      for name in names.dropFirst() { try sandbox.copy("vm-00", as: name) }
      for name in names {
        try FileManager.default.setAttributes(
          [.modificationDate: Date(timeIntervalSinceNow: -3600)],
          ofItemAtPath: sandbox.folder(of: name).path)
      }
      let all = Dictionary(uniqueKeysWithValues: names.map { ($0, "stopped") })
      #expect(try await states(sandbox) == all)
      #expect(try String(contentsOf: index, encoding: .utf8).split(separator: "\n").count == 71)
      let before = try await sandbox.qvm("list").out

      let start = try await sandbox.qvm("start", "-d", "vm-01")
      #expect(start.status == 0, "\(start.err)")
      #expect(try await states(sandbox)["vm-01"] == "running")
      // Its supervisor and QEMU are gone, and how it ended is not recorded.
      let pids = sandbox.pids(of: "vm-01")
      for pid in [pids.supervisor, pids.qemu] { kill(try #require(pid), SIGKILL) }
      try await eventually("both are gone") { sandbox.processes.isEmpty }
      #expect(try await states(sandbox)["vm-01"] == "crashed")
      _ = try await sandbox.qvm("start", "-d", "vm-01")
      #expect(try await sandbox.qvm("stop", "--force", "vm-01").status == 0)
      #expect(try await states(sandbox) == all)
      #expect(try await sandbox.qvm("rm", "vm-02").status == 0)
      var left = all
      left["vm-02"] = nil
      #expect(try await states(sandbox) == left)

      // The index is only a help.
      try FileManager.default.removeItem(at: index)
      #expect(mkfifo(index.path, 0o600) == 0)
      let rows = { (text: String) in
        text.split(separator: "\n").filter { !$0.hasPrefix("vm-01") && !$0.hasPrefix("vm-02") }
      }
      #expect(rows(try await sandbox.qvm("list").out) == rows(before))
      #expect(try await states(sandbox) == left)
    }
  }
}
