import Foundation
import QMPClient
import QVMControl
import TestSupport
import Testing

/// A QEMU that breaks the rules of its monitor, or doesn't end: qvm neither hangs, nor crashes, nor
/// says what isn't so. `fake_qemu.py` in TestSupport plays it.
@Suite(.timeLimit(.minutes(15))) struct MisbehavingQEMUTests {
  /// A VM that runs, by a fake QEMU.
  private func with(
    _ fault: String, _ body: (Sandbox) async throws -> Void
  ) async throws {
    try await Sandbox.with { sandbox in
      try sandbox.useFakeQEMU(fault: fault)
      let run = try await sandbox.qvm("run", "-d", "--name", "fake", "demo", "1")
      #expect(run.status == 0, "\(run.err)")
      try await body(sandbox)
    }
  }

  /// How often the button was pressed in the last boot.
  private func presses(in sandbox: Sandbox) async throws -> Int {
    try await sandbox.status("fake")["lastOutcome"]?["presses"]?.int ?? 0
  }

  // MARK: - Before the guest runs

  /// Of a QEMU whose monitor fails, without the reason.
  private static let monitorFailure = String(
    StartError.monitor(.closed, log: []).message.dropLast("\(QMPError.closed)".count))

  @Test(arguments: [
    ("exit", "\(ProcessEnd.exited(1))"), ("abort", "\(ProcessEnd.signalled(SIGABRT))"),
    ("garbage", monitorFailure), ("long line", monitorFailure),
  ])
  func `a start that fails is told in time, and leaves nothing`(
    fault: String, says: String
  ) async throws {
    try await Sandbox.with { sandbox in
      try sandbox.useFakeQEMU(fault: fault)
      let start = ContinuousClock.now
      let run = try await sandbox.qvm("run", "-d", "--name", "fake", "demo", "1")
      #expect(start.duration(to: .now) < .seconds(15))
      #expect(run.status == 1)
      #expect(run.err.contains(says), "\(run.err)")
      #expect(run.err.utf8.count < 2000, "\(run.err.prefix(3000))")
      #expect(try await sandbox.qvm("status", "fake").status == 4)
    }
  }

  @Test func `a QEMU that dies as the guest begins has not started it`() async throws {
    try await Sandbox.with { sandbox in
      try sandbox.useFakeQEMU(fault: "dies at once")
      let run = try await sandbox.qvm("run", "-d", "--name", "fake", "demo", "1")
      #expect(run.status == 1, "\(run.out)")
      #expect(run.out == "")
      #expect(run.reports(.crashed, of: "fake", reason: "qemu-signal-6"), "\(run.err)")
      #expect(try await sandbox.status("fake")["phase"]?.string == "crashed")
    }
  }

  @Test func `a QEMU whose monitor is lost as the guest begins is told of, and kept`() async throws
  {
    try await Sandbox.with { sandbox in
      try sandbox.useFakeQEMU(fault: "babbling")
      let run = try await sandbox.qvm("run", "-d", "--name", "fake", "demo", "1")
      #expect(run.status == 0)
      #expect(run.out == "fake\n")
      #expect(run.err.contains("whether the guest of fake executes is not known"), "\(run.err)")
      #expect(try await sandbox.status("fake")["phase"]?.string == "unresponsive")
    }
  }

  @Test func `a start that hangs can be interrupted, and leaves nothing`() async throws {
    try await Sandbox.with { sandbox in
      try sandbox.useFakeQEMU(fault: "silent")
      let run = try sandbox.start("run", "-d", "--name", "fake", "demo", "1")
      try await eventually("QEMU was started") {
        sandbox.processes.contains { $0.command.contains("qemu-system") }
      }
      #expect(try await sandbox.status("fake")["phase"]?.string == "starting")
      run.signal(SIGINT)
      #expect(try await run.end().status == 130)
      try await eventually("nothing is left") { sandbox.processes.isEmpty }
      #expect(try await sandbox.qvm("status", "fake").status == 4)
    }
  }

  // MARK: - While it runs

  @Test func `a monitor that speaks byte by byte is understood`() async throws {
    try await with("slow") { sandbox in
      #expect(try await sandbox.status("fake")["runState"]?.string == "running")
      let stop = try await sandbox.qvm("stop", "fake")
      #expect(stop.status == 0)
      #expect(stop.reports(.clean, of: "fake"))
    }
  }

  @Test func `a hundred thousand events take neither time nor memory`() async throws {
    try await with("flood") { sandbox in
      let status = try await sandbox.status("fake")
      #expect(status["phase"]?.string == "running")
      let supervisor = try #require(status["supervisorPid"]?.int)
      let memory = try String(contentsOfFile: "/proc/\(supervisor)/status", encoding: .utf8)
      let peak = try #require(memory.firstMatch(of: /VmHWM:\s*(\d+) kB/)?.1)
      #expect(Int(peak) ?? .max < 60_000, "\(peak) kB")
      #expect(try await sandbox.qvm("stop", "fake").status == 0)
    }
  }

  private static let states = [
    "running", "suspended", "paused", "prelaunch", "shutdown", "internal-error", "watchdog",
    "guest-panicked", "io-error", "debug", "inmigrate", "finish-migrate", "postmigrate", "save-vm",
    "restore-vm", "colo", "never-heard-of",
  ]

  @Test func `every run state is shown as it is, and only one that executes as running`()
    async throws
  {
    try await Sandbox.with { sandbox in
      try sandbox.useFakeQEMU()
      for state in Self.states {
        let run = try await sandbox.qvm(
          ["run", "-d", "--name", state, "demo", "1"], environment: ["STATUS": state])
        #expect(run.status == 0, "\(run.err)")
      }
      let list = try await sandbox.qvm("list", "--json").json["instances"]?.array ?? []
      #expect(list.count == Self.states.count)
      for status in list {
        let state = try #require(status["name"]?.string)
        #expect(status["runState"]?.string == state)
        let executes = ["running", "suspended"].contains(state)
        #expect(status["phase"]?.string == (executes ? "running" : "paused"), "\(state)")
        #expect(status["reason"]?.string == (executes ? nil : state), "\(state)")
      }
      #expect(try await sandbox.qvm("status", "never-heard-of").out.contains("(never-heard-of)"))
      let stop = try await sandbox.qvm(["stop"] + Self.states)
      // This one may be able to go on.
      let lines = stop.err.split(separator: "\n")
      func isTold(_ state: String) -> Bool {
        lines.contains {
          $0.hasPrefix("qvm: \(state): the guest is stopped and can't react (\(state)")
        }
      }
      #expect(
        lines.contains { $0.hasPrefix("qvm: io-error: ") && $0.contains("(io-error)") },
        "\(stop.err)")
      for state in Self.states where state != "io-error" {
        let executes = ["running", "suspended"].contains(state)
        // One that is off has reacted.
        #expect(isTold(state) == !(executes || state == "shutdown"), "\(stop.err)")
        if executes { #expect(stop.reports(.clean, of: state)) }
      }
      #expect(lines.contains("qvm: suspended: the guest sleeps; waking it"), "\(stop.err)")
    }
  }

  @Test func `a monitor that turns to nonsense is dropped, and the VM is not`() async throws {
    try await with("babbling") { sandbox in
      try await eventually("it was noticed") {
        try await sandbox.status("fake")["phase"]?.string == "unresponsive"
      }
      let status = try await sandbox.status("fake")
      #expect(status["pid"]?.int.map { kill(pid_t($0), 0) } == 0)
      let stop = try await sandbox.qvm("stop", "fake")
      let after = try await sandbox.status("fake")
      #expect(after["lastOutcome"]?["rung"]?.string == "sigkill", "\(stop.err)")
      #expect(after["pid"] == nil)
    }
  }

  @Test(arguments: ["drop", "drop early"])
  func `a monitor that hangs up is replaced by the other one`(fault: String) async throws {
    try await with(fault) { sandbox in
      try await eventually("it was noticed") {
        try sandbox.text("supervisor.log", of: "fake").contains("monitor; connected to")
      }
      let status = try await sandbox.status("fake")
      #expect(status["phase"]?.string == "running")
      #expect(status["runState"]?.string == "running")
      let stop = try await sandbox.qvm("stop", "fake")
      #expect(stop.status == 0)
      #expect(stop.reports(.clean, of: "fake"), "\(stop.err)")
    }
  }

  @Test func `a press of the button that was lost with the monitor is repeated`() async throws {
    try await with("drop when pressed") { sandbox in
      let stop = try await sandbox.qvm("stop", "fake")
      #expect(stop.status == 0)
      #expect(try await presses(in: sandbox) > 1, "\(stop.err)")
      #expect(stop.reports(.clean, of: "fake"), "\(stop.err)")
    }
  }

  @Test func `a QEMU that was held up is unresponsive only while it is`() async throws {
    try await with("held up") { sandbox in
      #expect(try await sandbox.status("fake")["phase"]?.string == "unresponsive")
      try await eventually("it answers again") {
        try await sandbox.status("fake")["phase"]?.string == "running"
      }
      #expect(try await sandbox.status("fake")["reason"] == nil)
      #expect(try await sandbox.qvm("stop", "fake").status == 0)
    }
  }

  // MARK: - At its end

  @Test func `a QEMU that hangs up before it says why, and lives on, is killed`() async throws {
    try await with("hang-up") { sandbox in
      let stop = try await sandbox.qvm("stop", "fake")
      #expect(stop.status == 1)
      let outcome = try await sandbox.status("fake")["lastOutcome"]
      #expect(outcome?["rung"]?.string == "sigkill", "\(stop.err)")
      // What became of the guest is not known.
      #expect(outcome?["result"]?.string == "forced")
      #expect(outcome?["reason"]?.string == "killed")
    }
  }

  @Test(arguments: [("hang", "killed"), ("deaf", "killed")])
  func `a QEMU that doesn't end is killed by the third Ctrl-C`(
    fault: String, reason: String
  ) async throws {
    try await Sandbox.with { sandbox in
      try sandbox.useFakeQEMU(fault: fault)
      let run = try TerminalSession(
        try Sandbox.program, ["run", "--name", "fake", "demo", "1"], in: sandbox)
      try await run.expect("is running")
      run.type("\u{3}")
      try await run.expect("shutting fake down")
      #expect(try await sandbox.status("fake")["phase"]?.string == "stopping")
      run.type("\u{3}")
      try await run.expect("forcing fake")
      run.type("\u{3}")
      #expect(try await run.end(within: .seconds(8)) == 130)
      let outcome = try await sandbox.status("fake")["lastOutcome"]
      #expect(outcome?["result"]?.string == "forced")
      #expect(outcome?["reason"]?.string == reason)
      #expect(outcome?["signal"]?.int == 9)
    }
  }

  @Test func `a QEMU that is killed while its guest writes leaves a disk that is whole`()
    async throws
  {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(.writing, as: "haiku-r1beta5-x86-64")
      let disk = sandbox.cache.appending(path: "instances/box/disk.qcow2").path
      for _ in 0..<2 {
        let run = try await sandbox.qvm(
          "run", "-d", "--name", "box", "--memory", "64M", "haiku", "r1beta5")
        #expect(run.status == 0, "\(run.err)")
        try await eventually("the guest writes") {
          var status = stat()
          return stat(disk, &status) == 0 && status.st_size > 4 << 20
        }
        let qemu = try #require(try await sandbox.status("box")["pid"]?.int)
        kill(pid_t(qemu), SIGKILL)
        #expect(
          try await sandbox.qvm("wait", "box", "--for", "stopped", "--timeout", "30").status == 0)
        #expect(try await sandbox.status("box")["phase"]?.string == "crashed")
        // 3 would be room that belongs to nothing; no more than that may be wrong.
        let check = try await sandbox.run(try Tool.qemuImg.url, ["check", disk])
        #expect([0, 3].contains(check.status), "\(check.out)")
        #expect(try await sandbox.qvm("rm", "box").status == 0)
      }
    }
  }

  // MARK: - Sockets that others hold

  @Test func `a monitor that another program holds delays nothing`() async throws {
    try await Sandbox.with { sandbox in
      #expect(try await sandbox.qvm("run", "-d", "--name", "held", "demo", "1").status == 0)
      let status = try await sandbox.status("held")
      let monitor = try #require(status["paths"]?["monitor"]?.string)
      let holder = try SocketCalls.connect(monitor)
      func isQuick(_ phase: String) async throws {
        let start = ContinuousClock.now
        #expect(try await sandbox.status("held")["phase"]?.string == phase)
        #expect(start.duration(to: .now) < .seconds(3))
      }
      try await isQuick("running")
      // Its supervisor has a monitor of its own; without one the held monitor is all there is.
      kill(pid_t(try #require(status["supervisorPid"]?.int)), SIGKILL)
      try await eventually("it is an orphan") {
        try await sandbox.status("held")["phase"]?.string == "orphaned"
      }
      try await isQuick("orphaned")
      #expect(try await sandbox.qvm("status", "held").out.contains("its supervisor was killed; "))
      withExtendedLifetime(holder) {}
    }
  }

  // MARK: - Logs

  @Test
  func `a guest that never stops writing does not fill the disk, and its last words are kept`()
    async throws
  {
    try await with("noisy") { sandbox in
      let wait = try await sandbox.qvm(
        "wait", "fake", "--for", "console:the last line", "--timeout", "60")
      #expect(wait.status == 0)
      let log = sandbox.cache.appending(path: "instances/fake/console.log").path
      func room() -> Int {
        var status = stat()
        return stat(log, &status) == 0 ? Int(status.st_blocks) * 512 : .max
      }
      try await eventually("room was given back") { room() < 9 << 20 }
      let shown = try await sandbox.qvm("logs", "fake")
      #expect(shown.out.hasSuffix("the last line\n"))
      #expect(shown.out.utf8.count > 4 << 20, "more is gone than has to be")
      #expect(!shown.out.utf8.contains(0))
      #expect(shown.err.hasPrefix("qvm: "))
      #expect(shown.err.contains(" MB "), "\(shown.err)")
      let follower = try sandbox.start("logs", "-f", "fake")
      try await eventually("it is followed") { follower.output.out.hasSuffix("the last line\n") }
      #expect(try await sandbox.qvm("stop", "fake").status == 0)
      #expect(try await follower.end().status == 0)
      // The next boot makes it short indeed.
      let start = try await sandbox.qvm(["start", "-d", "fake"], environment: ["FAULT": "none"])
      #expect(start.status == 0)
      var status = stat()
      #expect(stat(log, &status) == 0 && status.st_size < 5 << 20)
      #expect(try await sandbox.qvm("stop", "fake").status == 0)
      #expect(try await sandbox.qvm("logs", "fake").out.contains("the last line\nready:"))
    }
  }
}
