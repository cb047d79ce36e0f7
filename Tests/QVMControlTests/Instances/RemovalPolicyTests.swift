import Testing

@testable import QVMControl

@Suite struct RemovalPolicyTests {
  /// A boot, as it is on record.
  private func boot(
    removes: Bool = true, isFirst: Bool = false, command: [String] = []
  ) -> BootRecord {
    BootRecord(
      token: "this", hostBootID: "h", startedAt: Timestamp(seconds: 0), removeOnShutdown: removes,
      shutdownTimeout: 1, supervisorPid: 1, supervisorStart: 1, command: command,
      consoleOffset: 0, runtimeFolder: nil, isFirst: isFirst)
  }

  private func outcome(
    _ result: Outcome.Ending, _ reason: String, rung: String? = nil, status: Int32? = 0,
    signal: Int32? = nil, token: String = "this"
  ) -> Outcome {
    Outcome(
      token: token, result: result, reason: reason, rung: rung, exitStatus: status, signal: signal)
  }

  @Test(arguments: [
    (Outcome.Ending.clean, "guest-shutdown", nil as String?, 0 as Int32?, nil as Int32?, true),
    (.clean, "guest-shutdown", nil, nil, nil, true),
    (.clean, "guest-shutdown", nil, 1, nil, false),
    (.clean, "guest-shutdown", nil, nil, 9, false),
    // As an earlier qvm wrote it down.
    (.clean, "guest-reset", nil, 0, nil, false),
    (.forced, "host-qmp-quit", "quit", 0, nil, true),
    (.forced, "host-qmp-quit", nil, 0, nil, true),
    (.forced, "host-signal", "sigterm", 0, nil, true),
    // A signal that was no rung of a shutdown is another program's.
    (.forced, "host-signal", "powerdown", 0, nil, false),
    (.forced, "host-signal", nil, 0, nil, false), (.forced, "host-ui", nil, 0, nil, false),
    (.forced, "killed", "sigkill", nil, 9, false), (.forced, "disk-error", "quit", 0, nil, false),
    (.unknown, "unobserved", nil, nil, nil, true), (.reset, "guest-reset", nil, 0, nil, false),
    (.crashed, "guest-panic", nil, 0, nil, false),
    (.crashed, "qemu-signal-9", nil, nil, 9, false),
    (.crashed, "out-of-memory", nil, nil, 9, false),
    (.crashed, "host-reboot", nil, nil, nil, false),
    (.crashed, "copied-while-running", nil, nil, nil, false),
    (.failedToStart, "no disk", nil, nil, nil, false),
  ])
  func `after a boot the disk goes only with rm and a shutdown that is certain to be orderly`(
    result: Outcome.Ending, reason: String, rung: String?, status: Int32?, signal: Int32?,
    removes: Bool
  ) {
    let outcome = outcome(result, reason, rung: rung, status: status, signal: signal)
    #expect(RemovalPolicy.removes(.ended(boot(), outcome)) == removes)
    #expect(!RemovalPolicy.removes(.ended(boot(), outcome), isMoved: true))
    #expect(!RemovalPolicy.removes(.ended(boot(removes: false), outcome)))
    #expect(outcome.isConfirmedShutdown == removes)
    var earlier = outcome
    earlier.token = "earlier"
    #expect(!RemovalPolicy.removes(.ended(boot(), earlier)))
    // A disk that was made for the boot has been written to since, unless the boot failed to start.
    let isFirst = RemovalPolicy.removes(.ended(boot(isFirst: true), outcome))
    #expect(isFirst == (removes || result == .failedToStart))
  }

  @Test(arguments: ["-no-reboot", "--no-reboot"])
  func `an end that was not observed may have been a reset where QEMU ends then`(option: String) {
    let boot = boot(command: ["qemu", option])
    #expect(!RemovalPolicy.removes(.ended(boot, outcome(.unknown, "unobserved"))))
    #expect(RemovalPolicy.removes(.ended(boot, outcome(.clean, "guest-shutdown"))))
  }

  @Test func `a disk that nothing was written to goes, with or without rm`() {
    #expect(RemovalPolicy.removes(.unnamed))
    #expect(RemovalPolicy.removes(.unused(madeForThisBoot: true)))
    #expect(!RemovalPolicy.removes(.unused(madeForThisBoot: false)))
    #expect(!RemovalPolicy.removes(.unused(madeForThisBoot: true), isMoved: true))
  }
}
