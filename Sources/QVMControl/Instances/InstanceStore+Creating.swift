package import QMPClient

extension InstanceStore {
  /// Creates a locked instance. It appears under its name only when it is complete. The name
  /// survives a power failure after ``outlast(_:)``.
  ///
  /// - Parameters:
  ///   - name: An unused name.
  ///   - target: The guest.
  ///   - baseImage: The absolute path of its base image.
  ///   - baseDigest: The image's digest, if it is known.
  ///   - options: The boot options, for its record.
  ///   - boot: The requested boot, in case this process is killed before there is a supervisor.
  ///   - make: Makes the overlay, in the folder that will become the instance's.
  /// - Returns: The locked instance, and the result of `make`.
  /// - Throws: `similar`; ``FileError`` whose cause `isOccupied` if the name was taken meanwhile.
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
      // Lock it before it gets a `.new-` name. A sweep treats a folder of that name as left behind
      // if its lock is free.
      guard let vmLock = try FileLock.attempt(unlocked.vmLock),
        let supervisorLock = try FileLock.attempt(unlocked.supervisorLock)
      else { throw InstanceError.busy(name: name.text, doing: "create") }
      try Files.rename(unlocked.folder, to: staging.folder, isLasting: false)
      let record = InstanceRecord(
        name: name.text, target: target, createdAt: .now, baseImage: baseImage,
        baseDigest: baseDigest, options: options)
      // Write the records while qemu-img makes the overlay.
      async let written: Void = Self.write(record, boot, to: staging)
      let made = try await make(
        Locked(
          name: name, files: staging, record: record, vmLock: vmLock,
          supervisorLock: supervisorLock))
      try await written
      // Flush all names in the folder at once, before it gets its own name.
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
      if RemovalPolicy.removes(.unnamed) {
        for folder in [unlocked.folder, staging.folder] { try? Files.removeTree(folder) }
      }
      throw error
    }
  }

  /// Makes sure that a new instance survives a power failure.
  ///
  /// - Throws: ``FileError`` if the folder can't be flushed.
  static func outlast(_ files: InstanceFiles) throws(FileError) {
    try Files.synchronize(Files.parent(of: files.folder))
  }

  private static func write(
    _ record: InstanceRecord, _ boot: BootRecord?, to files: InstanceFiles
  ) async throws(FileError) {
    // Let the supervisor be spawned first. The records are needed only when the disk is done.
    await Task.yield()
    try JSONFile.write(record.json, to: files.record, isLasting: false)
    if let boot { try JSONFile.write(boot.json, to: files.boot, isLasting: false) }
  }

  /// Checks that a new instance can have a name.
  ///
  /// - Throws: `similar` if the name of an instance differs only in upper and lower case, which
  ///   many file systems ignore; ``FileError`` if something else is in its place.
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
