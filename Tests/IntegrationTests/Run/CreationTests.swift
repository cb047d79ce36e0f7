import Foundation
import QMPClient
import QVMControl
import TestSupport
import Testing

/// What becomes of an instance whose disk is being made, and of the supervisor that gets ready
/// meanwhile, when something goes wrong just then.
@Suite(.timeLimit(.minutes(15))) struct CreationTests {
  /// A `qvm run` whose disk is being made.
  private struct Held {
    let run: RunningCommand
    /// The disk is made when it is gone.
    let mark: URL
    let sandbox: Sandbox

    init(in sandbox: inout Sandbox) async throws {
      let mark = try await sandbox.holdDisks()
      let run = try sandbox.start("run", "-d", "--name", "box", "demo", "1")
      self.mark = mark
      self.run = run
      self.sandbox = sandbox
      try await eventually("a supervisor waits for its disk") {
        FileManager.default.fileExists(atPath: mark.path) && supervisors.count == 1
      }
      #expect(entries.allSatisfy { $0.hasPrefix(".new-box-") }, "\(entries)")
    }

    var supervisors: [Int32] {
      sandbox.processes.filter { $0.command.hasSuffix("__supervise") }.map(\.pid)
    }

    /// What is in the folder of the instances.
    var entries: [String] {
      let folder = sandbox.cache.appending(path: "instances").path
      return (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    }

    func release() throws { try FileManager.default.removeItem(at: mark) }
  }

  @Test func `a run that is killed takes its supervisor along, and the next clears up`()
    async throws
  {
    try await Sandbox.with { sandbox in
      let held = try await Held(in: &sandbox)
      held.run.signal(SIGKILL)
      _ = try await held.run.end()
      try await eventually("its supervisor ends") { held.supervisors.isEmpty }
      try held.release()
      let found = sandbox
      try await eventually("its qemu-img is gone") { found.processes.isEmpty }
      #expect(try await sandbox.qvm("status", "box").status == 4)
      let path = sandbox.environment["PATH"]?.split(separator: ":").dropFirst()
      sandbox.environment["PATH"] = path?.joined(separator: ":")
      let next = try await sandbox.qvm("run", "-d", "--name", "box", "demo", "1")
      #expect(next.status == 0, "\(next.err)")
      #expect(held.entries == ["box"])
    }
  }

  @Test func `a run that is interrupted leaves nothing`() async throws {
    try await Sandbox.with { sandbox in
      let held = try await Held(in: &sandbox)
      held.run.signal(SIGINT)
      let output = try await held.run.end()
      #expect(output.status == 130)
      #expect(output.err.contains("interrupted"), "\(output.err)")
      try await eventually("its supervisor ends") { held.supervisors.isEmpty }
      #expect(held.entries == [])
    }
  }

  @Test func `a supervisor that is killed before its work begins leaves nothing`() async throws {
    try await Sandbox.with { sandbox in
      let held = try await Held(in: &sandbox)
      kill(try #require(held.supervisors.first), SIGKILL)
      try await eventually("it is gone") { held.supervisors.isEmpty }
      try held.release()
      let output = try await held.run.end()
      #expect(output.status == 1)
      let killed = StartError.other(
        message: "the supervisor was killed before its work began", advice: "Try again.")
      #expect(output.reports(killed), "\(output.err)")
      #expect(held.entries == [])
    }
  }

  @Test func `a run that is stopped for a while goes on as if nothing had been`() async throws {
    try await Sandbox.with { sandbox in
      let held = try await Held(in: &sandbox)
      held.run.signal(SIGSTOP)
      try held.release()
      let found = sandbox
      try await eventually("the disk is there") { found.processes.count == 2 }
      #expect(held.supervisors.count == 1)
      held.run.signal(SIGCONT)
      let output = try await held.run.end()
      #expect(output.status == 0, "\(output.err)")
      #expect(try await sandbox.status("box")["phase"]?.string == "running")
    }
  }

  @Test func `a command line that no socket takes at once reaches its supervisor`() async throws {
    try await Sandbox.with { sandbox in
      let text = String(repeating: "x", count: 100_000)
      let long = (0..<5).flatMap {
        ["--qemu-arg", "-fw_cfg", "--qemu-arg", "name=opt/test/\($0),string=\(text)"]
      }
      let run = try await sandbox.qvm(["run", "-d", "--name", "box"] + long + ["demo", "1"])
      #expect(run.status == 0, "\(run.err.prefix(1000))")
      #expect(try await sandbox.qvm("wait", "box", "--timeout", "30").status == 0)
      let command = sandbox.file("boot.json", of: "box")["command"]?.array?.compactMap(\.string)
      #expect(command?.filter { $0.hasSuffix(text) }.count == 5)
    }
  }

  @Test func `a disk that can't be made leaves nothing, and qemu-img is quoted`() async throws {
    try await Sandbox.with { sandbox in
      let bin = sandbox.folder.appending(path: "bin")
      try await sandbox.writeProgram(
        """
        [ "$1" = create ] || exec \(try Tool.qemuImg.url.path) "$@"
        echo 'qemu-img: the moon is in the wrong phase' >&2
        exit 1
        """, to: bin.appending(path: "qemu-img"))
      sandbox.environment["PATH"] = "\(bin.path):\(sandbox.environment["PATH"] ?? "")"
      let output = try await sandbox.qvm("run", "-d", "--name", "box", "demo", "1")
      #expect(output.status == 1)
      #expect(output.err.contains("the moon is in the wrong phase"), "\(output.err)")
      let found = sandbox
      try await eventually("its supervisor ends") { found.processes.isEmpty }
      #expect(try await sandbox.qvm("list", "--json").json["instances"] == .array([]))
    }
  }
}
