import QVMControl
import Testing

@Suite struct QEMUArgumentsTests {
  private static let paths = DriverPaths(cache: "/cache", image: "/disk,1.qcow2")

  /// The lines that `edit` takes from, and adds to, a driver's command line.
  private func difference(
    _ driver: Driver, _ edit: (QEMUArguments) throws -> QEMUArguments
  ) rethrows -> [String] {
    let before = QEMUArguments(driver.command(Self.paths))
    let after = try edit(before)
    return after.words.difference(from: before.words).map { change in
      switch change {
      case .remove(_, let word, _): "- \(word)"
      case .insert(_, let word, _): "+ \(word)"
      }
    }
  }

  private static func cpu(of driver: Driver) -> String {
    QEMUArguments(driver.command(paths)).value(of: "-cpu") ?? ""
  }

  @Test(arguments: Driver.specified)
  func `each edit changes one word of every driver`(driver: Driver) throws {
    let network = QEMUArguments(driver.command(Self.paths)).value(of: "-netdev") ?? ""
    let type = driver.architecture == .arm64 ? "virt" : "q35"

    #expect(difference(driver) { $0.settingCPUs(4) } == ["- 2", "+ 4"])
    #expect(difference(driver) { $0.settingMemory("512M") } == ["- 6G", "+ 512M"])
    #expect(
      difference(driver) { $0.settingCPU("host") } == ["- \(Self.cpu(of: driver))", "+ host"])
    #expect(
      difference(driver) { $0.settingAccelerators(["kvm", "tcg"]) } == [
        "- type=\(type),accel=hvf:kvm:tcg", "+ type=\(type),accel=kvm:tcg",
      ])
    #expect(
      difference(driver) { $0.settingMachineProperty("acpi", "off") } == [
        "- type=\(type),accel=hvf:kvm:tcg", "+ type=\(type),accel=hvf:kvm:tcg,acpi=off",
      ])
    #expect(
      try difference(driver) { try $0.settingForwardedPort(3000) } == [
        "- \(network)", "+ \(network.replacing("2847", with: "3000"))",
      ])
    #expect(
      try difference(driver) { try $0.settingForwardedAddress("127.0.0.1") } == [
        "- \(network)", "+ \(network.replacing("tcp::", with: "tcp:127.0.0.1:"))",
      ])
    #expect(difference(driver) { $0.settingProgram("/q") }.last == "+ /q")
  }

  @Test(arguments: Driver.specified)
  func `every driver's accelerators and forward can be read`(driver: Driver) {
    let arguments = QEMUArguments(driver.command(Self.paths))

    #expect(arguments.acceleratorList == ["hvf", "kvm", "tcg"])
    #expect(arguments.forwardedPort == 2847)
    #expect(arguments.forwardedAddress == "")
  }

  @Test func `port and address of a forward are changed independently`() throws {
    let arguments = QEMUArguments(["q", "-netdev", "user,id=n,hostfwd=tcp:10.0.0.1:1-:22,ipv6=off"])

    let moved = try arguments.settingForwardedPort(65535).settingForwardedAddress("0.0.0.0")

    #expect(moved.words[2] == "user,id=n,hostfwd=tcp:0.0.0.0:65535-:22,ipv6=off")
    #expect(moved.forwardedPort == 65535)
    #expect(moved.forwardedAddress == "0.0.0.0")
  }

  @Test func `of several forwards the one to the guest's ssh is edited`() throws {
    let arguments = QEMUArguments([
      "q", "-netdev", "user,id=a", "-netdev",
      "user,id=b,hostfwd=udp::53-:53,hostfwd=tcp::8080-:80,hostfwd=tcp::2847-10.0.2.15:22",
    ])

    #expect(arguments.forwardedPort == 2847)
    #expect(
      try arguments.settingForwardedPort(9).words.last
        == "user,id=b,hostfwd=udp::53-:53,hostfwd=tcp::8080-:80,hostfwd=tcp::9-10.0.2.15:22")
  }

  @Test(arguments: [
    ["q"], ["q", "-netdev"], ["q", "-netdev", "user,id=n"],
    ["q", "-netdev", "user,hostfwd=tcp::1"],
    ["q", "-netdev", "user,hostfwd=tcp::x-:22"], ["q", "-netdev", "user,hostfwd=udp::1-:22"],
    ["q", "-device", "user,hostfwd=tcp::1-:22"], ["q", "-netdev", "a,,hostfwd=tcp::1-:22"],
  ])
  func `without a forward there is no port, and setting one is an error`(words: [String]) {
    let arguments = QEMUArguments(words)

    #expect(arguments.forwardedPort == nil)
    #expect(arguments.forwardedAddress == nil)
    #expect(throws: RunOptionError.noPortForward(program: "q")) {
      try arguments.settingForwardedPort(1)
    }
    #expect(throws: RunOptionError.noPortForward(program: "q")) {
      try arguments.settingForwardedAddress("127.0.0.1")
    }
  }

  @Test func `an option that is missing is appended`() {
    let arguments = QEMUArguments(["q", "-nographic"])
      .settingCPUs(1).settingMemory("1G").settingAccelerators(["tcg"])
      .settingMachineProperty("acpi", "off")

    #expect(
      arguments.words == [
        "q", "-nographic", "-smp", "1", "-m", "1G", "-machine", "accel=tcg,acpi=off",
      ])
  }

  @Test func `a value that looks like an option's name is left alone`() {
    let arguments = QEMUArguments(["-m", "x", "-name", "-m", "2", "-append", "smp", "-smp", "3"])

    #expect(arguments.program == "-m")
    #expect(arguments.settingCPUs(4).words.last == "4")
    #expect(arguments.value(of: "-cpu") == nil)
  }

  @Test func `no words have no program`() {
    #expect(QEMUArguments([]).program == "")
    #expect(QEMUArguments([]).settingProgram("q").words == ["q"])
    #expect(QEMUArguments(["a", "b"]).settingProgram("q").words == ["q", "b"])
  }
}
