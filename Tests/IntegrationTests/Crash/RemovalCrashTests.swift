import Foundation
import QMPClient
import QVMControl
import TestSupport
import Testing

/// A removal that is killed at any of its steps: the instance is there as a whole or not at all, and
/// the next command removes the rest.
@Suite(.timeLimit(.minutes(15))) struct RemovalCrashTests {
  /// A system call of a removal, the last that its process comes to.
  struct Step: Sendable, Hashable, CustomTestStringConvertible {
    let call: String
    let count: Int
    /// Whether how it ended can be read afterwards.
    var leavesOutcome = false
    var testDescription: String { "\(call) \(count)" }

    var options: [String] {
      ["-e", "trace=\(call)", "-e", "inject=\(call):signal=KILL:when=\(count)"]
    }
  }

  @Test func `an rm that is killed at any step is finished by the next command`() async throws {
    try await Sandbox.with { sandbox in
      try await sandbox.makeSeed()
      let (strace, program) = (try Tool.strace.url, try Sandbox.program.path)
      for call in ["rename", "unlink", "rmdir"] {
        var count = 1
        while true {
          try sandbox.copy("seed", as: "cut")
          let step = Step(call: call, count: count)
          let rm = try await sandbox.run(
            strace, ["-f", "-q", "-o", "/dev/null"] + step.options + [program, "rm", "cut"])
          let isHit = rm.status != 0
          let list = try await sandbox.qvm("list", "--json").json["instances"]?.array
          #expect(list?.contains { $0["phase"]?.string != "stopped" } == false)
          if sandbox.exists("cut") {
            #expect(isHit)
            if let damage = try await sandbox.damage(of: "cut") { Issue.record("\(damage)") }
            #expect(try await sandbox.qvm("rm", "cut").status == 0, "\(call) \(count)")
          } else {
            #expect(try await sandbox.qvm("rm", "cut").status == 4, "\(call) \(count)")
          }
          let left = try FileManager.default.contentsOfDirectory(
            atPath: sandbox.cache.appending(path: "instances").path)
          #expect(left == ["seed"], "\(call) \(count)")
          if !isHit { break }
          count += 1
        }
        #expect(count > 1, "\(call) is no step of a removal any more")
      }
    }
  }

  // The outcome, the folder; the sockets, the files; the folder itself.
  private static let steps = [
    Step(call: "rename", count: 1), Step(call: "rename", count: 2, leavesOutcome: true),
    Step(call: "unlink", count: 2, leavesOutcome: true), Step(call: "unlink", count: 4),
    Step(call: "unlink", count: 5), Step(call: "unlink", count: 9),
    Step(call: "rmdir", count: 1),
  ]

  @Test(arguments: steps)
  func `a supervisor that is killed while it carries out --rm leaves the rest to the next command`(
    step: Step
  ) async throws {
    try await Sandbox.with { sandbox in
      let run = try await sandbox.qvm("run", "-d", "--rm", "--name", "cut", "demo", "1")
      #expect(run.status == 0, "\(run.err)")
      try await withDoomedSupervisor(step, in: sandbox) {
        let stop = try await sandbox.qvm("stop", "cut")
        #expect(stop.status == 0, "\(stop.err)")
      }
      #expect(try await sandbox.qvm("status", "cut").status == 4)
      #expect(try await sandbox.qvm("list", "--json").json["instances"] == .array([]))
      // Which also sweeps.
      let again = try await sandbox.qvm("run", "-d", "--rm", "--name", "cut", "demo", "1")
      #expect(again.status == 0, "\(again.err)")
    }
  }

  @Test(arguments: steps)
  func `a run whose supervisor is killed while it carries out --rm does the rest`(
    step: Step
  ) async throws {
    try await Sandbox.with { sandbox in
      let run = try sandbox.start("run", "--rm", "--name", "cut", "demo", "1")
      try await eventually("it runs") { run.output.out.contains("ready") }
      try await withDoomedSupervisor(step, in: sandbox) {
        run.signal(SIGINT)
        let end = try await run.end()
        #expect(!sandbox.exists("cut"), "\(end.err)")
        // Before the outcome is on file no other process knows it, nor once its folder is being removed.
        let isKnown = step.leavesOutcome
        #expect(end.reports(.clean, of: "cut") == isKnown, "\(end.err)")
        #expect(end.reports(.unknown, of: "cut") != isKnown, "\(end.err)")
        #expect(end.status == (isKnown ? 0 : 1))
      }
      #expect(!sandbox.exists("cut"))
      let next = try await sandbox.qvm("run", "-d", "--rm", "--name", "next", "demo", "1")
      #expect(next.status == 0, "\(next.err)")
    }
  }

  @Test(arguments: steps)
  func `what a run and its supervisor leave that are both killed is finished by the next command`(
    step: Step
  ) async throws {
    try await Sandbox.with { sandbox in
      let run = try sandbox.start("run", "--rm", "--name", "cut", "demo", "1")
      try await eventually("it runs") { run.output.out.contains("ready") }
      try await withDoomedSupervisor(step, in: sandbox) {
        // Its lease is lost: the supervisor shuts the guest down, and is killed on the way.
        run.signal(SIGKILL)
        let status = try await run.end().status
        #expect(status == 137)
      }
      #expect(try await sandbox.qvm("wait", "cut", "--timeout", "5").status == 4)
      #expect(try await sandbox.qvm("list", "--json").json["instances"] == .array([]))
      #expect(!sandbox.exists("cut"))
      let next = try await sandbox.qvm("run", "-d", "--rm", "--name", "cut", "demo", "1")
      #expect(next.status == 0, "\(next.err)")
    }
  }

  /// Has the supervisor of `cut` killed at a step of what a body makes it do.
  private func withDoomedSupervisor(
    _ step: Step, in sandbox: Sandbox, _ body: () async throws -> Void
  ) async throws {
    _ = try await sandbox.qvm("wait", "cut", "--timeout", "30")
    let supervisor = try #require(sandbox.pids(of: "cut").supervisor)
    let log = sandbox.folder.appending(path: "strace").path
    let tracer = try sandbox.start(
      try Tool.strace.url, ["-f", "-o", log] + step.options + ["-p", "\(supervisor)"])
    try await eventually("the supervisor is traced") {
      let text = try String(contentsOfFile: "/proc/\(supervisor)/status", encoding: .utf8)
      return !text.contains("TracerPid:\t0\n")
    }
    try await body()
    _ = try await tracer.end(within: .seconds(10))
    #expect(try String(contentsOfFile: log, encoding: .utf8).contains("killed by SIGKILL"))
  }
}
