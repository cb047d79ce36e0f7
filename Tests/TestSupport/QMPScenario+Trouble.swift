internal import QMPClient

/// Scenarios in which something goes wrong, and those that ask for many things.
extension QMPScenario {
  static let panic = QMPScenario(
    "panic", "a guest with pvpanic reports a panic: QEMU ends", guest: "panicking",
    arguments: ["-device", "pvpanic"]
  ) { host in
    let qemu = try await QMPConversation.open(host)
    try await qemu.client.execute(Cont())
    let action = try await qemu.event("GUEST_PANICKED").guestPanicAction
    try expect(action != nil, "no action")
    let shutdown = try await qemu.event("SHUTDOWN").shutdown
    try expect(
      shutdown == .init(isByGuest: true, reason: .guestPanic), "\(String(describing: shutdown))")
    await qemu.end()
  }

  static let panicPause = QMPScenario(
    "panic-pause", "a guest with pvpanic reports a panic: QEMU was told to stop it",
    guest: "panicking", arguments: ["-device", "pvpanic"]
  ) { host in
    let qemu = try await QMPConversation.open(host)
    try await qemu.client.execute(SetAction(reboot: .shutdown, panic: .pause))
    try await qemu.client.execute(Cont())
    let action = try await qemu.event("GUEST_PANICKED").guestPanicAction
    try expect(action == "pause", "\(String(describing: action))")
    try await qemu.event("STOP")
    try expect(try await qemu.status() == .guestPanicked, "not guest-panicked")
    try await qemu.quit()
  }

  static let diskFull = QMPScenario(
    "disk-full", "the host's disk is full: io-error; cont while it still is; room, and cont",
    guest: "writing", hasSmallDisk: true
  ) { host in
    let qemu = try await QMPConversation.open(host)
    try await qemu.client.execute(Cont())
    for round in 0..<2 {
      // QEMU 10 holds back all but the first error of a second, so STOP may come before it.
      let events = try await qemu.each("BLOCK_IO_ERROR", "STOP")
      let error = events.compactMap(\.blockIOError).last
      try expect(error?.isNoSpace == true, "\(String(describing: error))")
      try expect(error?.action == "stop", "\(String(describing: error))")
      try expect(try await qemu.status() == .ioError, "not io-error")
      let devices = try await qemu.client.execute(QueryBlock()).devices
      try expect(devices.contains { $0.ioStatus == .noSpace }, "no io-status")
      if round == 1 { try await host.makeRoom() }
      try await qemu.client.execute(Cont())
    }
    try await host.awaitConsole("the disk is written to its end")
    try expect(try await qemu.status() == .running, "not running")
    try await qemu.client.execute(SystemPowerdown())
    let reason = try await qemu.event("SHUTDOWN").shutdown?.reason
    try expect(reason == .guestShutdown, "\(String(describing: reason))")
    await qemu.end()
  }

  static let schema = QMPScenario(
    "schema", "the longest line: query-qmp-schema", guest: "demo"
  ) { host in
    let qemu = try await QMPConversation.open(host)
    let schema = try await qemu.client.execute(QueryQMPSchema())
    let names = Set(schema.array?.compactMap { $0["name"]?.string } ?? [])
    try expect(names.count > 500, "\(names.count) entities")
    try expect(names.contains("SHUTDOWN"), "no SHUTDOWN")
    try await qemu.quit()
  }

  static let inventory = QMPScenario(
    "inventory", "what a controller asks for, and what QEMU refuses", guest: "demo",
    arguments: ["-name", "recorded"]
  ) { host in
    let qemu = try await QMPConversation.open(host)
    let client = qemu.client
    let version = try await client.execute(QueryVersion())
    try expect(await client.greeting?.version == version, "another version: \(version)")
    let commands = try await client.execute(QueryCommands()).names
    try expect(commands.contains(QueryStatus.name), "no query-status")
    let name = try await client.execute(QueryName()).name
    try expect(name == "recorded", "another name: \(String(describing: name))")
    try expect(try await !client.execute(QueryKVM()).enabled, "under KVM")
    let drive = try await client.execute(QueryBlock()).devices.first { $0.device == "drive0" }
    try expect(drive?.inserted?.isReadOnly == true, "\(String(describing: drive))")
    let cpus = try await client.execute(QueryCPUsFast()).cpus
    try expect(cpus.map(\.index) == [0, 1], "\(cpus)")
    let monitors = try await client.execute(QueryChardev()).devices
    try expect(monitors.contains { $0.label == "monitor" && $0.isFrontendOpen }, "\(monitors)")
    try await client.execute(SetAction(shutdown: .pause, watchdog: .pause))
    try await client.execute(WatchdogSetAction(action: .injectNMI))
    let status = try await client.execute(HumanMonitorCommand("info status")).output
    try expect(status.hasPrefix("VM status: paused"), status)
    try await client.execute(Screendump(filename: "/dev/null"))

    let refusals: [(name: String, arguments: JSONObject, errorClass: String)] = [
      ("query-nonsense", [:], "CommandNotFound"),
      ("qmp_capabilities", [:], "CommandNotFound"),
      ("system_wakeup", [:], "GenericError"),
      ("screendump", [:], "GenericError"),
    ]
    for (name, arguments, errorClass) in refusals {
      _ = try await refusal(of: name, arguments, errorClass, client)
    }
    // QEMU writes all but ASCII as escapes, the rocket as a surrogate pair.
    let device = "Grüße 世界 🚀 \"q\""
    let words = try await refusal(
      of: "device_del", ["id": .string(device)], "DeviceNotFound", client)
    try expect(words == "Device '\(device)' not found", words)
    try await qemu.quit()
  }

  /// Executes a command that must be refused with an error of a class; QEMU's description.
  private static func refusal(
    of name: String, _ arguments: JSONObject, _ errorClass: String, _ client: QMPClient
  ) async throws -> String {
    do throws(QMPError) {
      try await client.execute(name, arguments)
    } catch {
      guard case .refused(name, errorClass, let description) = error else {
        throw Failure(description: "\(name): \(error)")
      }
      return description
    }
    throw Failure(description: "\(name) was not refused")
  }

  static let outOfBand = QMPScenario(
    "out-of-band", "a command that may be executed out of band, and one that may not",
    guest: "demo"
  ) { host in
    let qemu = try await QMPConversation.open(host, outOfBand: true)
    try expect(await qemu.client.isOutOfBandEnabled, "not enabled")
    for name in ["migrate-pause", "query-status"] {
      do throws(QMPError) {
        try await qemu.client.execute(name, outOfBand: true)
      } catch {
        guard case .refused = error else { throw Failure(description: "\(name): \(error)") }
        continue
      }
      throw Failure(description: "\(name) was not refused")
    }
    try await qemu.quit()
  }
}
