import Foundation
import QMPClient
import QVMControl
import TestSupport
import Testing

/// A VM from `run` to its end, as automation sees it.
@Suite(.timeLimit(.minutes(15))) struct LifecycleTests {
  @Test func `a detached VM runs, is ready, and is gone after its shutdown when --rm was given`()
    async throws
  {
    try await Sandbox.with { sandbox in
      let run = try await sandbox.qvm("run", "-d", "--rm", "--name", "one", "demo", "1")
      #expect(run.status == 0, "\(run.err)")
      #expect(run.out == "one\n")
      #expect(try await sandbox.qvm("wait", "one", "--timeout", "30").status == 0)

      let status = try await sandbox.status("one")
      #expect(status["schema"]?.int == 1)
      #expect(status["phase"]?.string == "running")
      #expect(status["runState"]?.string == "running")
      #expect(status["accelerator"]?.string == "tcg")
      #expect(status["os"]?.string == "demo")
      #expect(status["removeOnShutdown"]?.bool == true)
      #expect(status["lastOutcome"] == nil)
      #expect(status["pid"]?.int.map { kill(Int32($0), 0) } == 0)

      let stop = try await sandbox.qvm("stop", "one")
      #expect(stop.status == 0)
      #expect(stop.reports(.clean, of: "one"))
      #expect(try await sandbox.qvm("list", "--json").json["instances"] == .array([]))
      #expect(try await sandbox.qvm("status", "one").status == 4)
    }
  }

  @Test func `without --rm the instance stays, says how it ended, and boots again`() async throws {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--name", "kept", "demo", "1")
      _ = try await sandbox.qvm("wait", "kept", "--timeout", "30")
      let disk = try await sandbox.status("kept")["paths"]?["disk"]?.string ?? ""
      _ = try await sandbox.qvm("stop", "kept")

      let status = try await sandbox.qvm("status", "--json", "kept")
      #expect(status.status == 3)
      #expect(status.json["phase"]?.string == "stopped")
      let outcome = status.json["lastOutcome"]
      #expect(outcome?["result"]?.string == "clean")
      #expect(outcome?["reason"]?.string == "guest-shutdown")
      #expect(outcome?["rung"]?.string == "powerdown")
      #expect(outcome?["exitStatus"]?.int == 0)
      #expect(status.json["pid"] == nil)

      let before = try FileManager.default.attributesOfItem(atPath: disk)[.systemFileNumber] as? Int
      #expect(try await sandbox.qvm("run", "-d", "--name", "kept", "demo", "1").status == 0)
      #expect(try await sandbox.status("kept")["phase"]?.string == "running")
      let after = try FileManager.default.attributesOfItem(atPath: disk)[.systemFileNumber] as? Int
      #expect(before != nil && before == after, "the disk was made anew")
      _ = try await sandbox.qvm("wait", "kept", "--timeout", "30")
      _ = try await sandbox.qvm("stop", "kept")
      #expect(try await sandbox.qvm("rm", "kept").out == "kept\n")
      #expect(!FileManager.default.fileExists(atPath: disk))
    }
  }

  @Test func `two instances of one image run side by side, each with its own ssh port`()
    async throws
  {
    try await Sandbox.with { sandbox in
      for name in ["left", "right"] {
        #expect(try await sandbox.qvm("run", "-d", "--name", name, "demo", "1").status == 0)
      }
      let ports = try await [
        sandbox.status("left")["sshPort"]?.int, sandbox.status("right")["sshPort"]?.int,
      ]
      #expect(ports[0] != nil && ports[1] != nil && ports[0] != ports[1])
      let list = try await sandbox.qvm("list")
      #expect(list.out.split(separator: "\n").count == 3)
      #expect(list.out.contains("CREATED"))
      let narrow = try TerminalSession(
        URL(filePath: "/bin/sh"),
        ["-c", #"stty cols 40; exec "$0" list"#, try Sandbox.program.path], in: sandbox)
      #expect(try await narrow.end() == 0)
      let lines = narrow.text.split(whereSeparator: \.isNewline)
      #expect(lines.count == 3 && lines.allSatisfy { $0.count <= 40 }, "\(narrow.text)")
      #expect(lines.first?.hasPrefix("NAME ") == true && lines.first?.contains("STATE") == true)
      for name in ["left", "right"] {
        #expect(try await sandbox.qvm("wait", name, "--timeout", "30").status == 0)
      }
      #expect(try await sandbox.qvm("stop", "left", "right").status == 0)
    }
  }

  @Test func `a running instance is neither run nor removed a second time`() async throws {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--name", "busy", "demo", "1")
      let again = try await sandbox.qvm("run", "-d", "--name", "busy", "demo", "1")
      #expect(again.status == 1)
      #expect(again.reports(try await sandbox.running("busy", "run")))
      let removal = try await sandbox.qvm("rm", "busy")
      #expect(removal.status == 1)
      #expect(removal.reports(try await sandbox.running("busy", "remove")))
      #expect(try await sandbox.status("busy")["phase"]?.string == "running")
    }
  }

  @Test func `a taken port is an error where it was asked for`() async throws {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--name", "first", "demo", "1")
      let port = try #require(try await sandbox.status("first")["sshPort"]?.int)
      let second = try await sandbox.qvm(
        "run", "-d", "--name", "second", "--ssh-port", "\(port)", "demo", "1")
      #expect(second.status == 1)
      let taken = StartError.portTaken(
        address: "127.0.0.1", port: port, by: PortHolder(name: "first"))
      #expect(second.reports(taken), "\(second.err)")
      // Its disk was made for this boot alone.
      #expect(try await sandbox.qvm("status", "second").status == 4)
    }
  }

  @Test func `a guest that powers itself off ends its VM cleanly`() async throws {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(.exiting, as: "haiku-r1beta5-x86-64")
      _ = try await sandbox.qvm(
        "run", "-d", "--name", "brief", "haiku", "r1beta5", "--memory", "64M")
      #expect(
        try await sandbox.qvm("wait", "brief", "--for", "stopped", "--timeout", "60").status == 0)
      let outcome = try await sandbox.status("brief")["lastOutcome"]
      #expect(outcome?["result"]?.string == "clean")
      #expect(outcome?["rung"] == nil, "it was not asked for")
    }
  }

  @Test func `a guest that resets itself is still running, and a stop still ends it`()
    async throws
  {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(.rebooting, as: "haiku-r1beta5-x86-64")
      _ = try await sandbox.qvm(
        "run", "-d", "--name", "again", "haiku", "r1beta5", "--memory", "64M")
      // The guest's banner comes once in each of its boots.
      let console = try #require(
        try await sandbox.status("again")["paths"]?["console"]?.string)
      try await eventually("it was reset twice") {
        let text = try String(contentsOfFile: console, encoding: .isoLatin1)
        return text.components(separatedBy: "SeaBIOS (version").count > 3
      }
      #expect(try await sandbox.status("again")["phase"]?.string == "running")
      let stop = try await sandbox.qvm("stop", "again", "--timeout", "1")
      #expect(stop.status == 1)
      #expect(stop.reports(.forced, of: "again"))
    }
  }
}
