import Foundation
import QMPClient
import TestSupport
import Testing

/// Processes that are stopped while a VM is being ended: that time isn't the guest's.
@Suite(.timeLimit(.minutes(15))) struct SuspendedTests {
  private func boot(in sandbox: Sandbox) async throws -> (supervisor: Int32, qemu: Int32) {
    _ = try await sandbox.qvm("run", "-d", "--name", "box", "demo", "1")
    _ = try await sandbox.qvm("wait", "box", "--timeout", "30")
    let (supervisor, qemu) = sandbox.pids(of: "box")
    return (try #require(supervisor), try #require(qemu))
  }

  private func expectClean(_ stop: RunningCommand, in sandbox: Sandbox) async throws {
    let end = try await stop.end()
    #expect(end.status == 0, "\(end.err)")
    let outcome = try await sandbox.status("box")["lastOutcome"]
    #expect(outcome?["result"]?.string == "clean", "\(outcome ?? .null)")
  }

  @Test func `a job that is suspended for longer than the shutdown's time-out goes on with it`()
    async throws
  {
    try await Sandbox.with { sandbox in
      let (supervisor, qemu) = try await boot(in: sandbox)
      // The guest has not answered the button yet when all of it is suspended.
      kill(qemu, SIGSTOP)
      let stop = try sandbox.start("stop", "--timeout", "4", "box")
      try await eventually("the guest is asked") {
        try await sandbox.status("box")["phase"]?.string == "stopping"
      }
      for pid in [supervisor, stop.pid] { kill(pid, SIGSTOP) }
      // Longer than the time-out: that this time passes is what it is about.
      try await Task.sleep(for: .seconds(6))
      for pid in [supervisor, qemu, stop.pid] { kill(pid, SIGCONT) }
      try await expectClean(stop, in: sandbox)
    }
  }

  @Test func `the time in which a job is suspended is not the guest's`() async throws {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(.deaf, as: "haiku-r1beta5-x86-64")
      _ = try await sandbox.qvm(
        "run", "-d", "--name", "box", "--memory", "64M", "haiku", "r1beta5")
      let (supervisor, qemu) = sandbox.pids(of: "box")
      let stop = try sandbox.start("stop", "--timeout", "4", "box")
      try await eventually("the guest is asked") {
        try await sandbox.status("box")["phase"]?.string == "stopping"
      }
      let job = [try #require(supervisor), try #require(qemu), stop.pid]
      for pid in job { kill(pid, SIGSTOP) }
      // That this time passes is what it is about.
      try await Task.sleep(for: .seconds(5))
      let begin = ContinuousClock.now
      for pid in job { kill(pid, SIGCONT) }
      #expect(try await stop.end().status == 1)
      // No more than a second of the five has counted.
      #expect(begin.duration(to: .now) > .seconds(1))
    }
  }

  @Test func `a QEMU that alone is stopped has not refused to power off`() async throws {
    try await Sandbox.with { sandbox in
      let (_, qemu) = try await boot(in: sandbox)
      kill(qemu, SIGSTOP)
      let stop = try sandbox.start("stop", "--timeout", "4", "box")
      try await eventually("it is noticed") {
        stop.output.err.contains("box: ")
      }
      // That this time passes is what it is about.
      try await Task.sleep(for: .seconds(5))
      kill(qemu, SIGCONT)
      try await expectClean(stop, in: sandbox)
    }
  }
}
