package import QMPClient

/// The instances in a cache, as folders that appear and disappear as a whole.
package struct InstanceStore: Sendable {
  package let cache: Cache

  package init(_ cache: Cache) { self.cache = cache }

  package func files(_ name: InstanceName) -> InstanceFiles {
    InstanceFiles(folder: "\(cache.instances)/\(name)")
  }

  /// The names of the instances, sorted.
  package var names: [InstanceName] {
    Files.list(cache.instances).compactMap { try? InstanceName($0) }
  }

  /// The same, where it matters that they can't be told.
  ///
  /// - Throws: ``FileError`` where the folder is there and can't be read.
  package func listed() throws(FileError) -> [InstanceName] {
    try Files.contents(of: cache.instances).compactMap { try? InstanceName($0) }
  }

  package func exists(_ name: InstanceName) -> Bool {
    Files.information(files(name).folder)?.kind == .folder
  }

  /// The files of an instance that must exist.
  ///
  /// - Throws: `noSuch`.
  package func existing(_ name: InstanceName) throws(InstanceError) -> InstanceFiles {
    guard exists(name) else { throw .noSuch(name: name.text) }
    return files(name)
  }

  // MARK: - Creating

  /// An instance that is locked for whoever is about to boot it.
  package struct Locked: Sendable {
    package let name: InstanceName
    package let files: InstanceFiles
    package let record: InstanceRecord
    package let vmLock: FileLock
    package let supervisorLock: FileLock
  }

  /// Creates an instance, locked; it appears under its name only when it is complete.
  ///
  /// - Parameters:
  ///   - name: A name that is free.
  ///   - target: What its guest is.
  ///   - baseImage: The absolute path of the image under its disk.
  ///   - baseDigest: The image's digest, if it is known.
  ///   - options: The options to boot it with, for its record.
  ///   - makeDisk: Makes the overlay at the path it is given.
  /// - Returns: The instance, locked.
  /// - Throws: ``FileError`` whose cause `isOccupied` where the name was taken meanwhile.
  package func create(
    _ name: InstanceName, _ target: Target, baseImage: String, baseDigest: String? = nil,
    options: JSONObject, makeDisk: (String) async throws -> Void
  ) async throws -> Locked {
    sweep()
    let staging = InstanceFiles(
      folder: "\(cache.instances)/.new-\(name)-\(Randomness.hexadecimal(bytes: 4))")
    try Files.makeFolder(staging.folder)
    do {
      // Locked before there is anything to see: nobody finds it without its owner, and a sweep
      // tells a folder in the making from one whose maker was killed.
      guard let vmLock = try FileLock.attempt(staging.vmLock),
        let supervisorLock = try FileLock.attempt(staging.supervisorLock)
      else { throw InstanceError.running(name: name.text, doing: "create") }
      let record = InstanceRecord(
        name: name.text, target: target, createdAt: .now, baseImage: baseImage,
        baseDigest: baseDigest, options: options)
      try JSONFile.write(record.json, to: staging.record)
      try await makeDisk(staging.disk)
      let files = files(name)
      try Files.rename(staging.folder, to: files.folder)
      return Locked(
        name: name, files: files, record: record,
        vmLock: FileLock(inherited: vmLock.descriptor, path: files.vmLock),
        supervisorLock: FileLock(
          inherited: supervisorLock.descriptor, path: files.supervisorLock))
    } catch {
      try? Files.removeTree(staging.folder)
      throw error
    }
  }

  /// Locks an instance that exists, to boot it.
  ///
  /// - Throws: `running` where it runs, or is being booted or removed by somebody else.
  package func lock(_ name: InstanceName, to doing: String) throws -> Locked {
    let files = try existing(name)
    let record: InstanceRecord
    do throws(JSONFileError) { record = try InstanceRecord(reading: files.record) } catch {
      throw InstanceError.broken(name: name.text, why: error.message)
    }
    guard let vmLock = try FileLock.attempt(files.vmLock),
      let supervisorLock = try FileLock.attempt(files.supervisorLock)
    else { throw InstanceError.running(name: name.text, doing: doing) }
    return Locked(
      name: name, files: files, record: record, vmLock: vmLock, supervisorLock: supervisorLock)
  }

  // MARK: - Removing

  /// Removes an instance that doesn't run.
  ///
  /// - Throws: `noSuch`; `running`.
  package func remove(_ name: InstanceName) throws {
    let files = try existing(name)
    guard let lock = try FileLock.attempt(files.vmLock) else {
      throw InstanceError.running(name: name.text, doing: "remove")
    }
    try remove(name, holding: lock)
  }

  /// Removes an instance whose `vm.lock` the caller holds.
  package func remove(_ name: InstanceName, holding lock: FileLock) throws(FileError) {
    // Out of sight in one step, then bit by bit: whoever is interrupted leaves only what a sweep
    // finishes.
    let doomed = "\(cache.instances)/.removed-\(name)-\(Randomness.hexadecimal(bytes: 4))"
    try Files.rename(files(name).folder, to: doomed)
    try Files.removeTree(doomed)
  }

  /// The folders that commands that were killed have left half-made or half-removed.
  package var leftovers: [String] {
    Files.list(cache.instances).compactMap { entry in
      guard entry.hasPrefix(".") else { return nil }
      let folder = "\(cache.instances)/\(entry)"
      let files = InstanceFiles(folder: folder)
      if entry.hasPrefix(".new-") {
        guard !FileLock.isHeld(files.vmLock) else { return nil }
        // One that isn't locked yet is a moment old; one that stays so was left behind.
        guard let found = Files.information(folder),
          Files.exists(files.vmLock) || Timestamp.now.seconds - found.modified > 60
        else { return nil }
      } else if !entry.hasPrefix(".removed-") {
        return nil
      }
      return folder
    }
  }

  /// Removes what commands that were killed have left half-made or half-removed.
  package func sweep() {
    for folder in leftovers { try? Files.removeTree(folder) }
  }
}
