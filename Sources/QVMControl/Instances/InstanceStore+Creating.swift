package import QMPClient

extension InstanceStore {
  /// Creates an instance, locked; it appears under its name only when it is complete. The name itself
  /// lasts after ``outlast(_:)``.
  ///
  /// - Parameters:
  ///   - name: A name that is free.
  ///   - target: What its guest is.
  ///   - baseImage: The absolute path of the image under its disk.
  ///   - baseDigest: The image's digest, if it is known.
  ///   - options: The options to boot it with, for its record.
  ///   - boot: What is intended with it, in case its maker is killed before it has a supervisor.
  ///   - make: Makes the overlay, in the folder that becomes the instance's.
  /// - Returns: The instance, locked, and what `make` returns.
  /// - Throws: `similar`; ``FileError`` whose cause `isOccupied` where the name was taken meanwhile.
  package func create<Made>(
    _ name: InstanceName, _ target: Target, baseImage: String, baseDigest: String? = nil,
    options: JSONObject, boot: BootRecord? = nil, make: (Locked) async throws -> Made
  ) async throws -> (Locked, Made) {
    sweep()
    try checkFree(name)
    let suffix = "\(name)-\(Randomness.hexadecimal(bytes: 4))"
    let unlocked = InstanceFiles(folder: "\(cache.instances)/.unlocked-\(suffix)")
    let staging = InstanceFiles(folder: "\(cache.instances)/.new-\(suffix)")
    try Files.makeFolder(unlocked.folder)
    do {
      // Locked before it has the name by which a sweep tells one in the making, whose lock is held,
      // from one whose maker was killed.
      guard let vmLock = try FileLock.attempt(unlocked.vmLock),
        let supervisorLock = try FileLock.attempt(unlocked.supervisorLock)
      else { throw InstanceError.busy(name: name.text, doing: "create") }
      try Files.rename(unlocked.folder, to: staging.folder, isLasting: false)
      let record = InstanceRecord(
        name: name.text, target: target, createdAt: .now, baseImage: baseImage,
        baseDigest: baseDigest, options: options)
      // While the disk is made by a program there is time to wait for the disk that all is on.
      async let written: Void = Self.write(record, boot, to: staging)
      let made = try await make(
        Locked(
          name: name, files: staging, record: record, vmLock: vmLock,
          supervisorLock: supervisorLock))
      try await written
      // All of its names at once, before it gets its own.
      try Files.synchronize(staging.folder)
      let files = files(name)
      try Files.rename(staging.folder, to: files.folder, isLasting: false)
      let locked = Locked(
        name: name, files: files, record: record,
        vmLock: FileLock(inherited: vmLock.descriptor, path: files.vmLock),
        supervisorLock: FileLock(
          inherited: supervisorLock.descriptor, path: files.supervisorLock))
      return (locked, made)
    } catch {
      for folder in [unlocked.folder, staging.folder] { try? Files.removeTree(folder) }
      throw error
    }
  }

  /// Makes sure that an instance is still there after a power cut.
  ///
  /// - Throws: ``FileError`` where the disk doesn't take its name.
  static func outlast(_ files: InstanceFiles) throws(FileError) {
    try Files.synchronize(Files.parent(of: files.folder))
  }

  private static func write(
    _ record: InstanceRecord, _ boot: BootRecord?, to files: InstanceFiles
  ) async throws(FileError) {
    // The start of the supervisor goes first: this only has to be done when the disk is there.
    await Task.yield()
    try JSONFile.write(record.json, to: files.record, isLasting: false)
    if let boot { try JSONFile.write(boot.json, to: files.boot, isLasting: false) }
  }

  /// Makes sure that an instance can have a name that none has.
  ///
  /// - Throws: `similar` for one that differs in capitals alone, which on many disks is no difference;
  ///   ``FileError`` where something else is in its place.
  private func checkFree(_ name: InstanceName) throws {
    let folded = name.text.lowercased()
    let other = names.first { $0 != name && $0.text.lowercased() == folded && exists($0) }
    if let other { throw InstanceError.similar(name: name.text, existing: other.text) }
    let folder = files(name).folder
    if let kind = Files.information(folder)?.kind, kind != .folder {
      throw FileError(verb: "create", path: folder, cause: kind == .link ? .isLink : .isOccupant)
    }
  }
}
