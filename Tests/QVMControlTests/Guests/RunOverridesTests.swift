import QVMControl
import Testing

@Suite struct RunOverridesTests {
  private static let paths = DriverPaths(cache: "/cache", image: "/disk.qcow2")

  @Test(arguments: Driver.all)
  func `without overrides the driver's words stay as they are`(driver: Driver) throws {
    let arguments = QEMUArguments(driver.command(Self.paths))

    #expect(try RunOverrides().apply(to: arguments) == arguments)
  }

  @Test func `every override is applied, and the extra words come last`() throws {
    let driver = QEMUArguments([
      "q", "-machine", "type=q35,accel=hvf:kvm:tcg", "-cpu", "max", "-smp", "2", "-m", "6G",
      "-netdev", "user,id=n,hostfwd=tcp::2847-:22", "-nographic",
    ])
    let overrides = try RunOverrides(
      cpus: 8, memory: "512", cpu: "host", accelerators: "kvm,tcg", sshPort: 2222,
      sshAddress: "127.0.0.1", extraArguments: ["-m", "1G", "-device", "a,b"])

    #expect(
      try overrides.apply(to: driver).words == [
        "q", "-machine", "type=q35,accel=kvm:tcg", "-cpu", "host", "-smp", "8", "-m", "512M",
        "-netdev", "user,id=n,hostfwd=tcp:127.0.0.1:2222-:22", "-nographic",
        "-m", "1G", "-device", "a,b",
      ])
  }

  @Test func `each value is checked`() {
    #expect(throws: RunOptionError.badCPUCount(0)) { try RunOverrides(cpus: 0) }
    #expect(throws: RunOptionError.badMemory("x")) { try RunOverrides(memory: "x") }
    #expect(throws: RunOptionError.badCPUModel("")) { try RunOverrides(cpu: "") }
    #expect(throws: RunOptionError.badAccelerator("x")) { try RunOverrides(accelerators: "x") }
    #expect(throws: RunOptionError.badPort(0)) { try RunOverrides(sshPort: 0) }
    #expect(throws: RunOptionError.badAddress("x")) { try RunOverrides(sshAddress: "x") }
  }

  @Test func `a port for a guest without a forward is an error`() throws {
    let overrides = try RunOverrides(sshPort: 2222)

    #expect(throws: RunOptionError.noPortForward(program: "q")) {
      try overrides.apply(to: QEMUArguments(["q"]))
    }
  }
}
