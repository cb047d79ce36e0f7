import QVMControl
import Testing

@Suite struct DriverTests {
  private static let paths = DriverPaths(cache: "/cache", image: "/instances/a/disk.qcow2")

  @Test(arguments: Driver.specified)
  func `every driver is the specification's command, word for word`(driver: Driver) throws {
    let specification = try SpecifiedCommand(driver, paths: Self.paths)

    #expect(driver.command(Self.paths) == specification.words)
  }

  @Test func `there is one driver for each block of the specification`() throws {
    #expect(Driver.specified.count == 8)
    #expect(Set(Driver.specified.map(\.description)) == (try SpecifiedCommand.names()))
  }

  @Test(arguments: Driver.all)
  func `a comma in a path is doubled where QEMU splits, and not for -bios`(driver: Driver) {
    let command = driver.command(DriverPaths(cache: "/ca,che", image: "/i,,mage"))

    for (option, value) in zip(command, command.dropFirst()) where value.contains("/") {
      let path =
        option == "-bios"
        ? "/ca,che/share" : value.contains("pflash") ? "/ca,,che/share" : "/i,,,,mage"
      #expect(value.contains(path), "\(option) \(value)")
    }
    #expect(command.count { $0.contains("/i,,,,mage") } == 1)
    #expect(command.count { $0.contains("/share/qemu/") } == 1)
  }

  @Test(arguments: Driver.all)
  func `the command names the QEMU of the driver's architecture`(driver: Driver) {
    #expect(
      driver.command(Self.paths).first == "qemu-system-\(driver.architecture.qemuTarget)")
  }

  @Test(arguments: Driver.all)
  func `a driver is found by its target`(driver: Driver) throws {
    let target = try Target(
      operatingSystem: driver.operatingSystem.rawValue, version: "1",
      platform: driver.architecture.rawValue, host: .x86_64)

    #expect(try Driver.find(target).description == driver.description)
  }

  @Test func `the demo guest's port can't be reached from other machines`() {
    let demo = Driver.all.filter { $0.operatingSystem == .demo }

    #expect(demo.map(\.description) == ["demo-x86-64"])
    for driver in demo {
      let arguments = QEMUArguments(driver.command(Self.paths))
      #expect(arguments.forwardedAddress == "127.0.0.1")
      #expect(arguments.forwardedPort == 2847)
      #expect(arguments.value(of: "-smp") == "1")
      #expect(arguments.value(of: "-m") == "64M")
    }
  }

  /// The help of `qvm run` says these.
  @Test func `the systems' drivers agree about CPUs and memory`() throws {
    for driver in Driver.all where driver.operatingSystem != .demo {
      let words = driver.command(DriverPaths(cache: "/c", image: "/i"))
      func value(_ option: String) -> String? { words.firstIndex(of: option).map { words[$0 + 1] } }
      #expect(value("-smp") == "2")
      #expect(value("-m") == "6G")
    }
  }
}
