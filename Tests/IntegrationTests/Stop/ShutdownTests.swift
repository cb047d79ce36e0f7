import Foundation
import QMPClient
import QVMControl
import TestSupport
import Testing

/// The ladder from the power button to SIGKILL, against guests that make each rung necessary.
@Suite(.timeLimit(.minutes(15))) struct ShutdownTests {
  @Test func `a guest that is deaf to the button is forced when its time is up`() async throws {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(.deaf, as: "haiku-r1beta5-x86-64")
      _ = try await sandbox.qvm(
        "run", "-d", "--name", "deaf", "haiku", "r1beta5", "--memory", "64M")
      _ = try await sandbox.qvm("wait", "deaf", "--for", "console:ready", "--timeout", "30")
      let stop = try await sandbox.qvm("stop", "deaf", "--timeout", "1")
      #expect(stop.status == 1)
      let outcome = try await sandbox.status("deaf")["lastOutcome"]
      #expect(outcome?["result"]?.string == "forced")
      #expect(outcome?["reason"]?.string == "host-qmp-quit")
      #expect(outcome?["rung"]?.string == "quit")
      #expect((outcome?["seconds"]?.double ?? 0) >= 1)
      // What was done, and when.
      let rungs = outcome?["rungs"]?.array
      #expect(rungs?.map { $0["rung"]?.string } == ["powerdown", "ssh", "quit"])
      let times = rungs?.compactMap { $0["seconds"]?.double } ?? []
      #expect(times.count == 3 && times[0] < 0.5 && times[1] >= 0.5 && times[2] >= 1, "\(times)")
      #expect(outcome?["presses"]?.int == 1)
    }
  }

  @Test func `a guest that ssh can't reach is said to be so, once`() async throws {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(.deaf, as: "haiku-r1beta5-x86-64")
      _ = try await sandbox.qvm(
        "run", "-d", "--name", "deaf", "haiku", "r1beta5", "--memory", "64M")
      _ = try await sandbox.qvm("wait", "deaf", "--for", "console:ready", "--timeout", "30")
      // It is tried after half of the time, and ten seconds later.
      let stop = try await sandbox.qvm("stop", "deaf", "--timeout", "28")
      #expect(!stop.err.contains("told the guest by ssh"), "\(stop.err)")
      let failures = stop.err.components(separatedBy: "could not tell the guest by ssh").count - 1
      #expect(failures == 1, "\(stop.err)")
      let outcome = try await sandbox.status("deaf")["lastOutcome"]
      #expect((outcome?["seconds"]?.double ?? 99) < 30)
      let steps = outcome?["rungs"]?.array ?? []
      #expect(steps.first { $0["rung"]?.string == "ssh" }?["failure"]?.string?.isEmpty == false)
      #expect(steps.first { $0["rung"]?.string == "quit" }?["failure"] == nil)
    }
  }

  @Test func `a run with a command gives up on a guest that doesn't get ready`() async throws {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(.demo, as: "haiku-r1beta5-x86-64")
      let run = try await sandbox.qvm(
        "run", "--rm", "--name", "mute", "--memory", "64M", "--ready-timeout", "2", "haiku",
        "r1beta5", "--", "true")
      #expect(run.status == 124, "\(run.err)")
      #expect(run.err.contains("mute is not ready yet: QEMU answers (running)"), "\(run.err)")
      #expect(run.reports(.clean, of: "mute"), "\(run.err)")
      #expect(!sandbox.exists("mute"))
    }
  }

  @Test func `a press that came too early is repeated until the guest obeys`() async throws {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(.late, as: "haiku-r1beta5-x86-64")
      _ = try await sandbox.qvm(
        "run", "-d", "--name", "late", "haiku", "r1beta5", "--memory", "64M")
      let stop = try await sandbox.qvm("stop", "late")
      #expect(stop.status == 0, "\(stop.err)")
      let outcome = try await sandbox.status("late")["lastOutcome"]
      #expect((outcome?["presses"]?.int ?? 0) > 1, "\(outcome ?? .null)")
      #expect(outcome?["result"]?.string == "clean")
    }
  }

  @Test func `of several that are stopped each is told as it ends, the quickest first`()
    async throws
  {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(.slow, as: "haiku-r1beta5-x86-64")
      _ = try await sandbox.qvm(
        "run", "-d", "--name", "slow", "haiku", "r1beta5", "--memory", "64M")
      _ = try await sandbox.qvm("run", "-d", "--name", "quick", "demo", "1")
      for name in ["slow", "quick"] {
        _ = try await sandbox.qvm("wait", name, "--for", "console:ready", "--timeout", "30")
      }
      let stop = try await sandbox.qvm("stop", "slow", "none", "quick")
      #expect(stop.status == 4)
      let ended = stop.err.split(separator: "\n").filter { line in
        ["slow", "quick"].contains { line.contains(Sandbox.Output.sentence(.clean, of: $0)) }
      }
      #expect(ended.count == 2, "\(stop.err)")
      let first = "qvm: \(Sandbox.Output.sentence(.clean, of: "quick"))"
      #expect(ended.first?.hasPrefix(first) == true, "\(stop.err)")
      #expect(ended.first?.hasSuffix("[1/2]") == true)
      #expect(ended.last?.hasSuffix("[2/2]") == true)
      for name in ["slow", "quick"] {
        #expect(try await sandbox.status(name)["lastOutcome"]?["result"]?.string == "clean")
      }
    }
  }

  @Test func `a guest that restarts instead of powering off is pressed until it does`() async throws
  {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(.restarting, as: "haiku-r1beta5-x86-64")
      _ = try await sandbox.qvm(
        "run", "-d", "--name", "again", "haiku", "r1beta5", "--memory", "64M")
      _ = try await sandbox.qvm("wait", "again", "--for", "console:ready", "--timeout", "30")
      let stop = try await sandbox.qvm("stop", "again")
      #expect(stop.status == 0, "\(stop.err)")
      #expect(stop.err.components(separatedBy: "the guest restarted").count == 2, "\(stop.err)")
      let outcome = try await sandbox.status("again")["lastOutcome"]
      #expect(outcome?["result"]?.string == "clean")
      #expect(outcome?["rung"]?.string == "powerdown")
    }
  }

  @Test func `a guest that only ever restarts is forced when its time is up`() async throws {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(.rebooting, as: "haiku-r1beta5-x86-64")
      _ = try await sandbox.qvm(
        "run", "-d", "--name", "loop", "haiku", "r1beta5", "--memory", "64M")
      _ = try await sandbox.qvm("wait", "loop", "--for", "console:resetting", "--timeout", "30")
      // A reset is not a shutdown.
      #expect(try await sandbox.status("loop")["phase"]?.string == "running")
      let stop = try await sandbox.qvm("stop", "loop", "--timeout", "3")
      #expect(stop.status == 1)
      #expect(stop.err.contains("the guest restarted"), "\(stop.err)")
      let outcome = try await sandbox.status("loop")["lastOutcome"]
      #expect(outcome?["result"]?.string == "forced")
      #expect(outcome?["rung"]?.string == "quit")
    }
  }

  @Test func `a guest that takes its time is waited for`() async throws {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(.slow, as: "haiku-r1beta5-x86-64")
      _ = try await sandbox.qvm(
        "run", "-d", "--name", "slow", "haiku", "r1beta5", "--memory", "64M")
      _ = try await sandbox.qvm("wait", "slow", "--for", "console:ready", "--timeout", "30")
      #expect(try await sandbox.qvm("stop", "slow").status == 0)
      let outcome = try await sandbox.status("slow")["lastOutcome"]
      #expect(outcome?["result"]?.string == "clean")
      #expect((outcome?["seconds"]?.double ?? 0) > 1)
    }
  }

  @Test func `a stop with --force ends QEMU without asking the guest`() async throws {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--rm", "--name", "now", "demo", "1")
      let stop = try await sandbox.qvm("stop", "--force", "now")
      #expect(stop.status == 0)
      #expect(stop.reports(.forced, of: "now", reason: "host-qmp-quit"))
      // Forced, and still confirmed: --rm is carried out.
      #expect(try await sandbox.qvm("status", "now").status == 4)
    }
  }

  @Test func `a QEMU that does not answer is ended by signals`() async throws {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--rm", "--name", "stuck", "demo", "1")
      let pid = try #require(try await sandbox.status("stuck")["pid"]?.int.map(Int32.init))
      kill(pid, SIGSTOP)
      let status = try await sandbox.status("stuck")
      #expect(status["phase"]?.string == "unresponsive")
      let stop = try await sandbox.qvm("stop", "--force", "stuck")
      #expect(stop.status == 0)
      #expect(stop.err.contains("SIGKILL"))
      // It was killed: the state of its disk is not known, so it is kept.
      let outcome = try await sandbox.status("stuck")["lastOutcome"]
      #expect(outcome?["reason"]?.string == "killed")
    }
  }

  @Test func `a signal to the supervisor shuts the guest down`() async throws {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--name", "told", "demo", "1")
      _ = try await sandbox.qvm("wait", "told", "--timeout", "30")
      let pid = try #require(try await sandbox.status("told")["supervisorPid"]?.int.map(Int32.init))
      kill(pid, SIGTERM)
      _ = try await sandbox.qvm("wait", "told", "--for", "stopped", "--timeout", "30")
      #expect(try await sandbox.status("told")["lastOutcome"]?["result"]?.string == "clean")
    }
  }

  @Test func `a panic of the guest is a crash, although QEMU exits with 0`() async throws {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(.panicking, as: "haiku-r1beta5-x86-64")
      _ = try await sandbox.qvm(
        "run", "-d", "--rm", "--name", "panics", "--memory", "64M", "--qemu-arg", "-device",
        "--qemu-arg", "pvpanic", "haiku", "r1beta5")
      _ = try await sandbox.qvm("wait", "panics", "--for", "stopped", "--timeout", "30")
      let status = try await sandbox.status("panics")
      #expect(status["phase"]?.string == "crashed")
      #expect(status["lastOutcome"]?["reason"]?.string == "guest-panic")
    }
  }
}
