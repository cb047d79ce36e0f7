/// The user's changes to the driver's command line. Nil changes nothing.
package struct RunOverrides: Sendable, Equatable {
  package let cpus: Int?
  package let memory: String?
  package let cpu: String?
  package let accelerators: [String]?
  package let sshPort: Int?
  package let sshAddress: String?
  /// Literal arguments for QEMU, after all of the driver's.
  package private(set) var extraArguments: [String]

  /// Checks every value with `RunOptionValidation`.
  package init(
    cpus: Int? = nil, memory: String? = nil, cpu: String? = nil, accelerators: String? = nil,
    sshPort: Int? = nil, sshAddress: String? = nil, extraArguments: [String] = []
  ) throws(RunOptionError) {
    self.cpus = if let cpus { try RunOptionValidation.cpus(cpus) } else { nil }
    self.memory = if let memory { try RunOptionValidation.memory(memory) } else { nil }
    self.cpu = if let cpu { try RunOptionValidation.cpuModel(cpu) } else { nil }
    self.accelerators =
      if let accelerators { try RunOptionValidation.accelerators(accelerators) } else { nil }
    self.sshPort = if let sshPort { try RunOptionValidation.port(sshPort) } else { nil }
    self.sshAddress = if let sshAddress { try RunOptionValidation.address(sshAddress) } else { nil }
    self.extraArguments = extraArguments
  }

  /// A copy in which the extra arguments' relative paths are absolute.
  ///
  /// - Parameter folder: The folder that they are relative to.
  /// - Returns: The overrides, valid in any working folder.
  package func withAbsolutePaths(in folder: String) -> RunOverrides {
    var copy = self
    copy.extraArguments = QEMUArguments.withAbsolutePaths(
      extraArguments, in: folder, exists: Files.exists)
    return copy
  }

  /// Applies the overrides to a driver's command line, with the extra arguments at its end.
  ///
  /// - Throws: `noPortForward` if there is no forward whose port or address could be changed.
  package func apply(to arguments: QEMUArguments) throws(RunOptionError) -> QEMUArguments {
    var edited = arguments
    if let cpus { edited = edited.settingCPUs(cpus) }
    if let memory { edited = edited.settingMemory(memory) }
    if let cpu { edited = edited.settingCPU(cpu) }
    if let accelerators { edited = edited.settingAccelerators(accelerators) }
    if let sshPort { edited = try edited.settingForwardedPort(sshPort) }
    if let sshAddress { edited = try edited.settingForwardedAddress(sshAddress) }
    return edited.appending(extraArguments)
  }
}
