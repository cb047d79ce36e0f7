import Foundation
import QMPClient
import QVMControl
import TestSupport
import Testing

/// QEMUs that were told to end when the guest resets, and to stay when it powers off.
@Suite(.timeLimit(.minutes(15))) struct ResetTests {
  private static let haiku = ["--memory", "64M", "haiku", "r1beta5"]

  private func monitor(of name: String, in sandbox: Sandbox) async throws -> BlockingQMPClient {
    let path = try await sandbox.status(name)["paths"]?["monitor"]?.string
    return try BlockingQMPClient(path: try #require(path), timeout: .seconds(60))
  }

  private func isOff(_ name: String, in sandbox: Sandbox) async throws -> Bool {
    let status = try await sandbox.status(name)
    return status["phase"]?.string == "paused" && status["reason"]?.string == "shutdown"
  }

  @Test(arguments: [Guest.rebooting, .crashing])
  func `a reset that ends QEMU is no shutdown, and the disk is kept`(guest: Guest) async throws {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(guest, as: "haiku-r1beta5-x86-64")
      let run = try await sandbox.qvm(
        ["run", "-d", "--rm", "--name", "box", "--qemu-arg", "-no-reboot"] + Self.haiku)
      #expect(run.status == 0, "\(run.err)")
      _ = try await sandbox.qvm("wait", "box", "--for", "stopped", "--timeout", "30")
      let status = try await sandbox.status("box")
      #expect(status["phase"]?.string == "stopped")
      #expect(status["reason"]?.string == "reset")
      #expect(status["lastOutcome"]?["result"]?.string == "reset")
      #expect(status["lastOutcome"]?["reason"]?.string == "guest-reset")
      #expect(FileManager.default.fileExists(atPath: sandbox.disk(of: "box")))
    }
  }

  @Test func `a reset that ends QEMU while it is asked to power off is a failed stop`() async throws
  {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(.restarting, as: "haiku-r1beta5-x86-64")
      _ = try await sandbox.qvm(["run", "-d", "--rm", "--name", "box"] + Self.haiku)
      _ = try await sandbox.qvm("wait", "box", "--for", "console:ready", "--timeout", "30")
      // By another tool, so that QEMU's command line tells nothing of it.
      try await monitor(of: "box", in: sandbox).execute(SetAction(reboot: .shutdown))
      let stop = try await sandbox.qvm("stop", "box")
      #expect(stop.status == 1, "\(stop.err)")
      #expect(try await sandbox.status("box")["lastOutcome"]?["result"]?.string == "reset")
      #expect(sandbox.exists("box"))
    }
  }

  /// What another tool has told an orphan's QEMU by its monitor.
  @Test(arguments: [
    SetAction(reboot: .shutdown), SetAction(reboot: .shutdown, shutdown: .pause),
  ])
  func `a reset that ends an orphan is no shutdown for the supervisor that adopts it`(
    action: SetAction
  ) async throws {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(.restarting, as: "haiku-r1beta5-x86-64")
      _ = try await sandbox.qvm(["run", "-d", "--rm", "--name", "box"] + Self.haiku)
      _ = try await sandbox.qvm("wait", "box", "--for", "console:ready", "--timeout", "30")
      kill(try #require(sandbox.pids(of: "box").supervisor), SIGKILL)
      try await eventually("it is an orphan") {
        try await sandbox.status("box")["phase"]?.string == "orphaned"
      }
      do {
        let monitor = try await monitor(of: "box", in: sandbox)
        try monitor.execute(action)
        if action.shutdown == .pause {
          // It is off before a supervisor adopts it.
          try monitor.execute(SystemPowerdown())
          try await eventually("it is off") {
            try monitor.execute(QueryStatus()).status == .shutdown
          }
        }
      }
      let stop = try await sandbox.qvm("stop", "box")
      let outcome = try await sandbox.status("box")["lastOutcome"]
      if action.shutdown == .pause {
        // No supervisor has heard how.
        #expect(outcome?["result"]?.string == "unknown", "\(stop.err)")
      } else {
        #expect(stop.status == 1, "\(stop.err)")
        #expect(outcome?["result"]?.string == "reset", "\(stop.err)")
      }
      #expect(sandbox.exists("box"))
    }
  }

  @Test func `an orphan whose end was not seen is kept if a reset ends QEMU`() async throws {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(.rebooting, as: "haiku-r1beta5-x86-64")
      _ = try await sandbox.qvm(
        ["run", "-d", "--rm", "--name", "box", "--qemu-arg", "-no-reboot"] + Self.haiku)
      kill(try #require(sandbox.pids(of: "box").supervisor), SIGKILL)
      _ = try await sandbox.qvm("wait", "box", "--for", "stopped", "--timeout", "30")
      #expect(try await sandbox.status("box")["lastOutcome"]?["result"]?.string == "unknown")
    }
  }

  @Test(arguments: [false, true])
  func `a guest that is off while QEMU stays has shut down, and a stop ends QEMU at once`(
    isOrphan: Bool
  ) async throws {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(.exiting, as: "haiku-r1beta5-x86-64")
      _ = try await sandbox.qvm(
        ["run", "-d", "--name", "box", "--qemu-arg", "-no-shutdown"] + Self.haiku)
      try await eventually("it is off") { try await isOff("box", in: sandbox) }
      if isOrphan { kill(try #require(sandbox.pids(of: "box").supervisor), SIGKILL) }
      let clock = ContinuousClock.now
      let stop = try await sandbox.qvm("stop", "box")
      #expect(stop.status == 0, "\(stop.err)")
      #expect(clock.duration(to: .now) < .seconds(10))
      #expect(!stop.err.contains("can't react"), "\(stop.err)")
      #expect(!stop.err.contains("(shutdown)"), "\(stop.err)")
      let outcome = try await sandbox.status("box")["lastOutcome"]
      // The new supervisor has not heard how it came to be off.
      #expect(outcome?["result"]?.string == (isOrphan ? "unknown" : "clean"))
      #expect(outcome?["reason"]?.string == (isOrphan ? "unobserved" : "guest-shutdown"))
      #expect(outcome?["rungs"]?.array?.map { $0["rung"]?.string } == ["quit"])
    }
  }

  @Test func `a guest that was off and was started anew runs, and obeys its button again`()
    async throws
  {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm(
        "run", "-d", "--rm", "--name", "box", "--qemu-arg", "-no-shutdown", "demo", "1")
      _ = try await sandbox.qvm("wait", "box", "--timeout", "30")
      let monitor = try await monitor(of: "box", in: sandbox)
      try monitor.execute(SystemPowerdown())
      try await eventually("it is off") { try await isOff("box", in: sandbox) }
      try monitor.execute(SystemReset())
      try await eventually("it is reset") {
        try await sandbox.status("box")["reason"]?.string == "prelaunch"
      }
      try monitor.execute(Cont())
      try await eventually("it runs") {
        try await sandbox.status("box")["phase"]?.string == "running"
      }
      try await eventually("it is ready again") {
        try sandbox.text("console.log", of: "box").components(separatedBy: "ready:").count == 3
      }
      // The button, and then QEMU, which would stay.
      let stop = try await sandbox.qvm("stop", "box")
      #expect(stop.status == 0, "\(stop.err)")
      #expect(stop.reports(.clean, of: "box"))
      #expect(!sandbox.exists("box"))
    }
  }
}
