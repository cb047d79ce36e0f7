internal import QMPClient

/// The instances in a cache. Each is a folder that appears and disappears as a whole.
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

  /// The names of the instances, or an error if they are unknown.
  ///
  /// - Throws: ``FileError`` if the folder exists and can't be read.
  package func listed() throws(FileError) -> [InstanceName] {
    try Files.contents(of: cache.instances).compactMap { try? InstanceName($0) }
  }

  package func exists(_ name: InstanceName) -> Bool {
    Files.information(files(name).folder)?.kind == .folder
  }

  /// The files of an instance that must exist.
  ///
  /// - Throws: `noSuch`; `unreadable` if the folder of instances can't be read.
  package func existing(_ name: InstanceName) throws(InstanceError) -> InstanceFiles {
    if exists(name) { return files(name) }
    do throws(FileError) { _ = try listed() } catch { throw .unreadable(error) }
    throw .noSuch(name: name.text)
  }

  // MARK: - Locking

  /// A locked instance that is about to be booted.
  package struct Locked: Sendable {
    package let name: InstanceName
    package let files: InstanceFiles
    package let record: InstanceRecord
    package let vmLock: FileLock
    package let supervisorLock: FileLock
  }

  /// Locks an instance that exists, to boot it.
  ///
  /// - Throws: `running`, `busy` or `removed` if another command was faster; `broken`.
  package func lock(_ name: InstanceName, to doing: String) throws -> Locked {
    let files = try existing(name)
    let claim = try claim(name, to: doing)
    do throws(JSONFileError) {
      let record = try InstanceRecord(reading: files.record)
      do throws(JSONFileError) { _ = try BootRecord.read(files.boot) } catch {
        // This boot replaces a damaged record. A newer qvm's record may name something that must be
        // kept.
        if case .futureSchema = error { throw error }
      }
      removeTornFiles(files.folder)
      return Locked(
        name: name, files: files, record: record, vmLock: claim.vm,
        supervisorLock: claim.supervisor)
    } catch {
      throw InstanceError(unusable: name, error)
    }
  }

  /// Removes the temporary files of processes that were killed while they replaced a file.
  private func removeTornFiles(_ folder: String) {
    for entry in Files.list(folder) where entry.hasPrefix(".") && entry.hasSuffix(".new") {
      try? Files.remove("\(folder)/\(entry)")
    }
  }

  // MARK: - Removing

  /// Removes an instance that doesn't run.
  ///
  /// - Throws: `noSuch`; `running`, `busy` or `removed` if another command was faster.
  package func remove(_ name: InstanceName) throws {
    let files = try existing(name)
    try cache.requireOwn()
    let claim = try claim(name, to: "remove")
    // Remove what a killed QEMU has left in the runtime folder.
    let boot = files.bootRecord
    (boot?.runtime(files) ?? .of(files)).remove()
    if let boot { KeptOutcome.remove(boot: boot.token, of: files) }
    try remove(name, holding: claim.vm)
  }

  /// Removes an instance whose `vm.lock` the caller holds.
  ///
  /// - Throws: ``FileError``, also if the lock belongs to another folder than the one with that
  ///   name. Then the folder was replaced, and the new one must not be removed.
  package func remove(_ name: InstanceName, holding lock: FileLock) throws(FileError) {
    let folder = files(name).folder
    let another = FileError(verb: "remove", path: folder, cause: .isAnother)
    guard lock.isFile(at: files(name).vmLock) else { throw another }
    // Rename it in one step, then remove it part by part. If this is interrupted, a sweep removes
    // the rest.
    let doomed = "\(cache.instances)/.removed-\(name)-\(Randomness.hexadecimal(bytes: 4))"
    try Files.rename(folder, to: doomed)
    guard lock.isFile(at: InstanceFiles(folder: doomed).vmLock) else {
      // It was replaced just before the rename.
      try Files.rename(doomed, to: folder)
      throw another
    }
    try Files.removeTree(doomed)
  }

  /// The folders of instances that killed commands have left half-made or half-removed.
  package var leftovers: [String] {
    Files.list(cache.instances).compactMap { entry in
      guard entry.hasPrefix(".") else { return nil }
      let folder = "\(cache.instances)/\(entry)"
      let files = InstanceFiles(folder: folder)
      if entry.hasPrefix(".new-") || entry.hasPrefix(".removed-") {
        // The process that makes or removes it holds its lock.
        guard !FileLock.isHeld(files.vmLock) else { return nil }
      } else if entry.hasPrefix(".unlocked-") {
        // A folder has this name only for a moment. After a minute it was left behind.
        guard let found = Files.information(folder), Timestamp.now.seconds - found.modified > 60
        else { return nil }
      } else {
        return nil
      }
      return folder
    }
  }

  /// Removes the ``leftovers``.
  package func sweep() {
    for folder in leftovers { try? Files.removeTree(folder) }
  }
}
