internal import QMPClient

extension QMPScenario {
  /// All scenarios.
  package static let all: [QMPScenario] =
    [
      powerdown, deafAndQuit, earlyPress, guestReset, quit, sigterm, stopAndCont, busyMonitor,
      twoMonitors,
    ] + [panic, panicPause, diskFull, schema, inventory, outOfBand]

  static let powerdown = QMPScenario(
    "powerdown", "an obedient guest is powered off by its button", guest: "demo"
  ) { host in
    let qemu = try await QMPConversation.open(host)
    try expect(try await qemu.status() == .prelaunch, "not prelaunch")
    try await qemu.client.execute(Cont())
    try await qemu.event("RESUME")
    try await host.awaitConsole("ready:")
    try expect(try await qemu.status() == .running, "not running")
    try await qemu.client.execute(SystemPowerdown())
    try await qemu.event("POWERDOWN")
    let shutdown = try await qemu.event("SHUTDOWN").shutdown
    try expect(shutdown?.reason == .guestShutdown, "\(String(describing: shutdown))")
    try expect(shutdown?.isByGuest == true, "\(String(describing: shutdown))")
    try expect(await qemu.end().allSatisfy { $0.name == "STOP" }, "further events")
    try expect(await qemu.client.ending == .disconnected(command: nil), "not disconnected")
  }

  static let deafAndQuit = QMPScenario(
    "deaf", "a guest that is deaf to its button gets POWERDOWN all the same; then quit",
    guest: "deaf"
  ) { host in
    let qemu = try await QMPConversation.open(host)
    try await qemu.client.execute(Cont())
    try await host.awaitConsole("ready:")
    try await qemu.client.execute(SystemPowerdown())
    try await qemu.event("POWERDOWN")
    try expect(try await qemu.status() == .running, "not running")
    try await qemu.quit()
  }

  static let earlyPress = QMPScenario(
    "early-press", "a press before the guest listens is lost, the next one is obeyed",
    guest: "late"
  ) { host in
    let qemu = try await QMPConversation.open(host)
    try await qemu.client.execute(Cont())
    try await host.awaitConsole("ready:")
    try await qemu.client.execute(SystemPowerdown())
    try await qemu.event("POWERDOWN")
    try await host.awaitConsole("the power button works now")
    try expect(try await qemu.status() == .running, "not running")
    try await qemu.client.execute(SystemPowerdown())
    try await qemu.event("POWERDOWN")
    let reason = try await qemu.event("SHUTDOWN").shutdown?.reason
    try expect(reason == .guestShutdown, "\(String(describing: reason))")
    await qemu.end()
  }

  static let guestReset = QMPScenario(
    "guest-reset", "a guest that resets itself stays the same running machine",
    guest: "rebooting"
  ) { host in
    let qemu = try await QMPConversation.open(host)
    try await qemu.client.execute(Cont())
    let reset = try await qemu.event("RESET").reset
    try expect(reset == .init(isByGuest: true, reason: .guestReset), "\(String(describing: reset))")
    try expect(try await qemu.status() == .running, "not running")
    try await qemu.client.execute(SystemReset())
    while try await qemu.event("RESET").reset?.reason != .hostQMPSystemReset {}
    try await qemu.quit()
  }

  static let quit = QMPScenario(
    "quit", "quit before the guest has run", guest: "demo"
  ) { host in
    let qemu = try await QMPConversation.open(host)
    try await qemu.quit()
  }

  static let sigterm = QMPScenario(
    "sigterm", "SIGTERM ends QEMU at once, and the guest isn't asked", guest: "demo"
  ) { host in
    let qemu = try await QMPConversation.open(host)
    try await qemu.client.execute(Cont())
    try await host.awaitConsole("ready:")
    try await host.terminate()
    let shutdown = try await qemu.event("SHUTDOWN").shutdown
    try expect(
      shutdown == .init(isByGuest: false, reason: .hostSignal), "\(String(describing: shutdown))")
    await qemu.end()
  }

  static let stopAndCont = QMPScenario(
    "stop-cont", "stop and cont, each twice: the second one has no event", guest: "demo"
  ) { host in
    let qemu = try await QMPConversation.open(host)
    try await qemu.client.execute(Cont())
    try await qemu.event("RESUME")
    try await qemu.client.execute(Stop())
    try await qemu.event("STOP")
    try expect(try await qemu.status() == .paused, "not paused")
    try await qemu.client.execute(Stop())
    try await qemu.client.execute(Cont())
    try await qemu.event("RESUME")
    try await qemu.client.execute(Cont())
    try expect(try await qemu.status() == .running, "not running")
    try await qemu.quit()
  }

  static let busyMonitor = QMPScenario(
    "busy", "a second client is never greeted while the first is there; a third one is, after it",
    guest: "demo", connections: 3
  ) { host in
    let first = try await QMPConversation.open(host)
    guard let loop = EventLoop.shared else { throw QMPError.closed }
    let second = try await host.transport(to: "monitor")
    do throws(QMPError) {
      _ = try await QMPClient.connect(over: second, on: loop, timeout: host.timeout)
      throw .closed
    } catch {
      try expect(error == .noGreeting(seconds: host.timeout.inSeconds), "\(error)")
    }
    try expect(try await first.status() == .prelaunch, "not prelaunch")
    await first.client.close()
    let third = try await QMPConversation.open(host)
    try await third.quit()
  }

  static let twoMonitors = QMPScenario(
    "two-monitors", "two monitors serve a client each, and both get every event", guest: "demo",
    monitors: ["first", "second"], connections: 2
  ) { host in
    let first = try await QMPConversation.open(host, "first")
    let second = try await QMPConversation.open(host, "second")
    try await first.client.execute(Cont())
    for qemu in [first, second] { try await qemu.event("RESUME") }
    try await host.awaitConsole("ready:")
    try await second.client.execute(SystemPowerdown())
    for qemu in [first, second] {
      try await qemu.event("POWERDOWN")
      let reason = try await qemu.event("SHUTDOWN").shutdown?.reason
      try expect(reason == .guestShutdown, "\(String(describing: reason))")
      await qemu.end()
    }
  }
}
