import QMPClient
import Testing
import TestSupport

@Suite struct CommandTests {
  // MARK: - What is sent

  @Test(
    arguments: [
      (QMPCapabilities(), "qmp_capabilities", "{}"),
      (QMPCapabilities(enable: ["oob"]), "qmp_capabilities", #"{"enable":["oob"]}"#),
      (QueryStatus(), "query-status", "{}"), (QueryVersion(), "query-version", "{}"),
      (QueryCommands(), "query-commands", "{}"), (QueryName(), "query-name", "{}"),
      (QueryKVM(), "query-kvm", "{}"), (QueryAccelerators(), "query-accelerators", "{}"),
      (QueryBlock(), "query-block", "{}"),
      (QueryCPUsFast(), "query-cpus-fast", "{}"), (QueryChardev(), "query-chardev", "{}"),
      (QueryQMPSchema(), "query-qmp-schema", "{}"), (Stop(), "stop", "{}"), (Cont(), "cont", "{}"),
      (Quit(), "quit", "{}"), (SystemPowerdown(), "system_powerdown", "{}"),
      (SystemReset(), "system_reset", "{}"), (SystemWakeup(), "system_wakeup", "{}"),
      (SetAction(), "set-action", "{}"),
      (
        SetAction(reboot: .shutdown, shutdown: .pause, panic: .exitFailure, watchdog: .injectNMI),
        "set-action",
        #"{"reboot":"shutdown","shutdown":"pause","panic":"exit-failure","watchdog":"inject-nmi"}"#
      ),
      (WatchdogSetAction(action: .nothing), "watchdog-set-action", #"{"action":"none"}"#),
      (Screendump(filename: "/a b.ppm"), "screendump", #"{"filename":"/a b.ppm"}"#),
      (
        Screendump(filename: "a", device: "video0", head: 1, format: .png), "screendump",
        #"{"filename":"a","device":"video0","head":1,"format":"png"}"#
      ),
      (
        HumanMonitorCommand("info usernet"), "human-monitor-command",
        #"{"command-line":"info usernet"}"#
      ),
    ] as [(any QMPCommand, String, String)])
  func `a command has its name and its arguments on the wire`(
    command: any QMPCommand, name: String, arguments: String
  ) {
    #expect(type(of: command).name == name)
    #expect(JSONValue.object(command.arguments).text == arguments)
  }

  @Test(arguments: QMPFixtures.versions)
  func `QEMU's own schema knows every command and every argument that is sent`(
    version: String
  ) throws {
    let schema = try Schema(version: version)
    let isNew = try #require(QEMUVersion(version)) >= QueryAccelerators.since
    let newer: [any QMPCommand] = isNew ? [QueryAccelerators()] : []
    let commands: [any QMPCommand] =
      newer + [
        QMPCapabilities(enable: ["oob"]), QueryStatus(), QueryVersion(), QueryCommands(),
        QueryName(),
        QueryKVM(), QueryBlock(), QueryCPUsFast(), QueryChardev(), QueryQMPSchema(), Stop(), Cont(),
        Quit(), SystemPowerdown(), SystemReset(), SystemWakeup(),
        SetAction(reboot: .reset, shutdown: .poweroff, panic: .goOn, watchdog: .debug),
        WatchdogSetAction(action: .reset),
        Screendump(filename: "a", device: "b", head: 0, format: .ppm), HumanMonitorCommand("x"),
      ]
    for command in commands {
      let name = type(of: command).name
      let known = try #require(schema.arguments(of: name), "\(name)")
      #expect(known.isSuperset(of: command.arguments.members.map(\.name)), "\(name)")
    }
    for event in [
      "SHUTDOWN", "POWERDOWN", "RESET", "STOP", "RESUME", "BLOCK_IO_ERROR", "GUEST_PANICKED",
      "WATCHDOG",
    ] {
      #expect(schema.events.contains(event), "\(event)")
    }
  }

  @Test(arguments: QMPFixtures.versions)
  func `QEMU's own schema has the words that are sent and expected`(version: String) throws {
    let schema = try Schema(version: version)
    let words: [(command: String, argument: String, words: [String])] = [
      ("set-action", "reboot", ["reset", "shutdown"]),
      ("set-action", "shutdown", ["poweroff", "pause"]),
      ("set-action", "panic", ["pause", "shutdown", "exit-failure", "none"]),
      (
        "watchdog-set-action", "action",
        ["reset", "shutdown", "poweroff", "pause", "debug", "none", "inject-nmi"]
      ),
      ("screendump", "format", ["ppm", "png"]),
    ]
    for (command, argument, words) in words {
      #expect(schema.values(of: argument, in: command) == Set(words), "\(command) \(argument)")
    }
  }

  // MARK: - What comes back

  /// The `return` member of the reply to a command, as a version of QEMU gave it.
  private func reply(_ name: String, in scenario: String, _ version: String) throws -> JSONValue {
    var isNext = false
    for (_, step) in try QMPFixtures.transcript("\(version)/\(scenario).qmp").steps {
      switch step {
      case .client(let line): isNext = try JSONValue(parsing: line)["execute"]?.string == name
      case .qemu(let line) where isNext:
        if let result = try JSONValue(parsing: line)["return"] { return result }
      default: break
      }
    }
    throw QMPReplyError(name)
  }

  @Test(arguments: QMPFixtures.versions)
  func `the block devices are read as QEMU tells them`(version: String) throws {
    let reply = try QueryBlock.Reply(try reply("query-block", in: "inventory", version))
    let drive = try #require(reply.devices.first)
    #expect(reply.devices.count == 1)
    #expect(drive.device == "drive0")
    #expect(drive.ioStatus == .ok)
    #expect(!drive.isRemovable && !drive.isLocked)
    let medium = try #require(drive.inserted)
    #expect(medium.file == "/scrubbed/demo.img")
    #expect(medium.driver == "raw")
    #expect(medium.isReadOnly)
    #expect(medium.virtualSize == 1 << 20)
    #expect(medium.backingFile == nil)

    let full = try QueryBlock.Reply(try self.reply("query-block", in: "disk-full", version))
    #expect(full.devices.first?.ioStatus == .noSpace)
    #expect(full.devices.first?.inserted?.driver == "qcow2")
    #expect(full.devices.first?.inserted?.backingFile == "/scrubbed/writing.img")
    #expect(full.devices.first?.inserted?.virtualSize == 64 << 20)
  }

  @Test(arguments: QMPFixtures.versions)
  func `processors and character devices are read as QEMU tells them`(version: String) throws {
    let cpus = try QueryCPUsFast.Reply(try reply("query-cpus-fast", in: "inventory", version)).cpus
    #expect(cpus.map(\.index) == [0, 1])
    #expect(cpus.map(\.target) == ["x86_64", "x86_64"])
    #expect(cpus.allSatisfy { $0.qomPath.hasPrefix("/machine/") })
    let devices = try QueryChardev.Reply(try reply("query-chardev", in: "inventory", version))
      .devices
    #expect(Set(devices.map(\.label)) == ["monitor", "serial0"])
    #expect(devices.first { $0.label == "monitor" }?.isFrontendOpen == true)
  }

  @Test func `the accelerators are read as QEMU tells them`() throws {
    let reply = try QueryAccelerators.Reply(
      try JSONValue(parsing: #"{"enabled": "tcg", "present": ["tcg", "mshv", "nitro", "kvm"]}"#))
    #expect(reply.enabled == "tcg")
    #expect(reply.present == ["tcg", "mshv", "nitro", "kvm"])
    #expect(throws: QMPReplyError("present")) {
      _ = try QueryAccelerators.Reply(["enabled": "tcg"])
    }
  }

  @Test(arguments: [
    ("7.2.22", QEMUVersion(major: 7, minor: 2, micro: 22)),
    ("11.1", QEMUVersion(major: 11, minor: 1, micro: 0)), ("11", nil), ("a.b", nil), ("1.2.", nil),
    ("1.2.3.4", nil), ("", nil),
  ])
  func `a version is two or three numbers`(text: String, version: QEMUVersion?) {
    #expect(QEMUVersion(text) == version)
  }

  @Test func `a reply of another shape names the element and the member`() {
    #expect(throws: QMPReplyError("1.locked")) {
      _ = try QueryBlock.Reply([
        ["device": "a", "removable": false, "locked": false],
        ["device": "b", "removable": false],
      ])
    }
    #expect(throws: QMPReplyError("0.drv")) {
      _ = try QueryBlock.Reply([
        ["device": "a", "removable": false, "locked": false, "inserted": ["file": "x"]]
      ])
    }
    #expect(throws: QMPReplyError("")) { _ = try QueryChardev.Reply([:]) }
    #expect(throws: QMPReplyError("")) { _ = try HumanMonitorCommand.Reply([:]) }
    #expect(throws: QMPReplyError("qemu")) { _ = try QEMUVersion([:]) }
    #expect(throws: QMPReplyError("micro")) {
      _ = try QEMUVersion(["qemu": ["major": 1, "minor": 2]])
    }
  }

  @Test func `versions are ordered by their numbers`() throws {
    func version(_ major: Int, _ minor: Int, _ micro: Int) throws -> QEMUVersion {
      try QEMUVersion([
        "qemu": [
          "major": .integer(Int64(major)), "minor": .integer(Int64(minor)),
          "micro": .integer(Int64(micro)),
        ]
      ])
    }
    #expect(try version(7, 2, 22) < version(10, 0, 2))
    #expect(try version(9, 2, 0) < version(9, 10, 0))
    #expect(try !(version(9, 2, 1) < version(9, 2, 1)))
  }
}

/// QEMU's own description of its QMP, from the transcript of `query-qmp-schema`.
private struct Schema {
  private var entities: [String: JSONValue] = [:]

  init(version: String) throws {
    for case (_, .qemu(let line)) in try QMPFixtures.transcript("\(version)/schema.qmp").steps {
      for entity in try JSONValue(parsing: line)["return"]?.array ?? [] {
        entities[entity["name"]?.string ?? ""] = entity
      }
    }
  }

  var events: Set<String> {
    Set(entities.filter { $0.value["meta-type"] == "event" }.keys)
  }

  private func members(of command: String) -> [JSONValue]? {
    guard let entity = entities[command], entity["meta-type"] == "command" else { return nil }
    return entities[entity["arg-type"]?.string ?? ""]?["members"]?.array
  }

  func arguments(of command: String) -> Set<String>? {
    members(of: command).map { Set($0.compactMap { $0["name"]?.string }) }
  }

  func values(of argument: String, in command: String) -> Set<String> {
    let type = members(of: command)?.first { $0["name"]?.string == argument }?["type"]?.string
    return Set(entities[type ?? ""]?["values"]?.array?.compactMap(\.string) ?? [])
  }
}
