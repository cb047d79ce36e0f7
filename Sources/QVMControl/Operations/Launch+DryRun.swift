extension Launch {
  /// The command that a run would spawn. Touches neither the network nor the disk.
  ///
  /// - Returns: `arguments`, of which those from the index `ownFrom` on are qvm's own. `notes` say what
  ///   a run may change because of a file that is not downloaded yet, and what else was added.
  /// - Throws: ``TargetError``, ``ToolchainError``, ``RunOptionError``.
  package func dryRun() throws -> (arguments: QEMUArguments, ownFrom: Int, notes: [String]) {
    let name = try self.name ?? InstanceName("qvm-\(target.operatingSystem.rawValue)")
    let files = InstanceStore(cache).files(name)
    let toolchain = try QEMUToolchain.planned(for: target, in: cache)
    let words = try driverCommand(toolchain: toolchain, disk: files.disk)
    let note = toolchain.openChange(to: words)
    let adapted = note == nil ? toolchain.adapted(words, for: target) : words
    // As an instance that is there would be booted.
    let record = self.name == nil ? nil : try? InstanceRecord(reading: files.record)
    let overrides =
      try record.map { try self.overrides.completed(by: $0.options) } ?? self.overrides
    let image = BaseImage.find(target, in: cache)
    let keys =
      record.map { LoginKeys(of: $0, users: sshKeys) }
      ?? LoginKeys(for: target, release: image?.tag, users: sshKeys)
    let program = adapted.settingProgram(toolchain.program)
    let command = try overrides.apply(to: program, with: keys.map { ($0.disk, files.keyDisk) })
      .publishing(overrides.published)
    // Unless the disk with keys must come before the user's own disks.
    let users = try overrides.apply(to: program).publishing(overrides.published).words
    let ownFrom = command.words.starts(with: users) ? users.count : command.words.count
    let own = MonitorArguments(
      name: name, files: files, runtime: .of(files), command: command,
      version: KnownVersions(in: cache).known(toolchain.program)
    ).arguments
    let isOpen = record == nil && image == nil && KeyDisk.dependsOnRelease(target.operatingSystem)
    let notes = [
      note, keys.map { _ in LoginKeys.dryRunNote } ?? (isOpen ? LoginKeys.openNote : nil),
    ]
    return (
      QEMUArguments(command.words + own), ownFrom, notes.compactMap(\.self)
    )
  }
}
