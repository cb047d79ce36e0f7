import Foundation
import QMPClient
import TestSupport
import Testing

/// Commands that are given more than one instance.
@Suite(.timeLimit(.minutes(15))) struct SeveralNamesTests {
  private func run(_ names: String..., in sandbox: Sandbox) async throws {
    for name in names {
      #expect(try await sandbox.qvm("run", "-d", "--name", name, "demo", "1").status == 0)
    }
  }

  private func members(_ json: JSONValue, _ member: String) -> [String?] {
    (json["instances"]?.array ?? []).map { $0[member]?.string }
  }

  @Test func `a wait for several is met when all of them are`() async throws {
    try await Sandbox.with { sandbox in
      try await run("left", "right", in: sandbox)

      let wait = try await sandbox.qvm("wait", "right", "left", "--timeout", "60", "--json")
      #expect(wait.status == 0, "\(wait.err)")
      #expect(members(wait.json, "name") == ["right", "left"])
      #expect(members(wait.json, "result") == ["met", "met"])
      let one = try await sandbox.qvm("wait", "left", "left", "--json")
      #expect(one.json["name"]?.string == "left")
      #expect(one.json["instances"] == nil)
    }
  }

  @Test func `a wait for several names those that fail, and waits for the others`() async throws {
    try await Sandbox.with { sandbox in
      try await run("gone", "silent", "good", in: sandbox)
      _ = try await sandbox.qvm("wait", "good", "--timeout", "60")
      #expect(try await sandbox.qvm("stop", "gone").status == 0)

      let wait = try await sandbox.qvm("wait", "good", "gone", "--json")
      #expect(wait.status == 5)
      #expect(wait.err.contains("gone is not running"))
      #expect(wait.err.contains("'qvm start -d gone'"))
      #expect(members(wait.json, "result") == ["met", "ended"])
      let late = try await sandbox.qvm(
        "wait", "silent", "good", "--for", "console:nowhere", "--timeout", "1")
      #expect(late.status == 124)
      for name in ["silent", "good"] {
        #expect(late.err.contains("the console of \(name) has not shown 'nowhere'"), "\(late.err)")
      }
      let missing = try await sandbox.qvm("wait", "good", "none", "--for", "stopped")
      #expect(missing.status == 4)
      #expect(missing.err.contains("'none'"))
    }
  }

  @Test func `several are started in the background, looked at and read`() async throws {
    try await Sandbox.with { sandbox in
      try await run("left", "right", in: sandbox)
      _ = try await sandbox.qvm("wait", "left", "right", "--timeout", "60")
      #expect(try await sandbox.qvm("stop", "left", "right").status == 0)
      #expect(try await sandbox.qvm("status", "left", "right").status == 3)

      let foreground = try await sandbox.qvm("start", "left", "right")
      #expect(foreground.status == 64)
      #expect(foreground.err.contains("--detach"))
      let start = try await sandbox.qvm("start", "-d", "left", "none", "right")
      #expect(start.status == 4)
      #expect(start.out == "left\nright\n")
      #expect(try await sandbox.qvm("wait", "left", "right", "--timeout", "60").status == 0)

      let json = try await sandbox.qvm("status", "left", "right", "--json")
      #expect(json.status == 0)
      #expect(members(json.json, "name") == ["left", "right"])
      #expect(members(json.json, "phase") == ["running", "running"])
      #expect(try await sandbox.status("left")["name"]?.string == "left")
      let status = try await sandbox.qvm("status", "none", "left")
      #expect(status.status == 4)
      #expect(status.out.contains("left"))
      #expect(status.err.contains("'none'"))

      let logs = try await sandbox.qvm("logs", "left", "right")
      #expect(logs.status == 0)
      #expect(logs.out.hasPrefix("==> left <==\n"))
      #expect(logs.out.contains("==> right <==\n"))
      #expect(try await sandbox.qvm("logs", "left").out.contains("==>") == false)
      #expect(try await sandbox.qvm("logs", "-f", "left", "right").status == 64)
    }
  }
}
