/// QEMU's command for a trial with exactly one accelerator.
extension AcceleratorTrial {
  static let monitorDescriptor = 3
  static let consoleDescriptor = 4

  func command() throws -> [String] {
    let arguments = try hasGuest ? demo() : machine()
    // swift-format-ignore
    return arguments.settingAccelerators([accelerator]).words + [
      "-S",
      "-chardev", "socket,id=doctor,fd=\(Self.monitorDescriptor)",
      // Shorter than what a VM has, and known to every version: nobody knows this one's yet.
      "-qmp", "chardev:doctor",
      "-chardev", "socket,id=console,fd=\(Self.consoleDescriptor)",
      "-serial", "chardev:console",
    ]
  }

  /// The demo driver's command.
  ///
  /// The disk is a plain file, so that a missing qemu-img is not told as an accelerator that fails,
  /// and the port is one that QEMU picks, so that nobody is disturbed.
  private func demo() throws -> QEMUArguments {
    let driver = Driver.demoX8664.command(DriverPaths(cache: toolchain.root, image: disk))
    let words = driver.map { $0.replacingSuffix("format=qcow2", with: "format=raw") }
    return try QEMUArguments(words).settingProgram(toolchain.program).settingForwardedPort(0)
  }

  /// The arm64 drivers' machine with nothing but its firmware.
  private func machine() -> QEMUArguments {
    // swift-format-ignore
    QEMUArguments([
      toolchain.program,
      "-nodefaults",
      "-machine", "type=virt",
      // What every accelerator has.
      "-cpu", "max",
      "-m", "256M",
      "-display", "none",
      "-bios", Firmware.uefi.path(in: toolchain.root),
    ])
  }
}

extension String {
  fileprivate func replacingSuffix(_ suffix: String, with other: String) -> String {
    hasSuffix(suffix) ? String(dropLast(suffix.count)) + other : self
  }
}
