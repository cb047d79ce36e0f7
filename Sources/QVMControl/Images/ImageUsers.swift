internal import QMPClient

/// Which instances use which base images.
///
/// An instance names its image in its record, and in the header of its disk. Both count. Only the
/// release and the file name are compared, not the whole path, because a cache can have several
/// paths and can be moved.
package struct ImageUsers: Sendable {
  /// The instances by the image that they use, in order.
  private var users: [String: [String]] = [:]
  private var digests: [String: Set<String>] = [:]
  private var paths: [String: String] = [:]
  /// Instances whose image is unknown, because neither record nor disk can be read.
  package private(set) var unknown: [String] = []

  /// Reads every instance, including those that are being created.
  ///
  /// - Throws: ``FileError`` if they can't be listed. No image may count as unused then.
  package init(in cache: Cache) throws(FileError) {
    for entry in try Files.contents(of: cache.instances) {
      let files = InstanceFiles(folder: "\(cache.instances)/\(entry)")
      if entry.hasPrefix(".new-") {
        // Ignore one whose creating process was killed.
        guard FileLock.isHeld(files.vmLock) else { continue }
      } else if entry.hasPrefix(".") {
        continue
      }
      guard Files.information(files.folder)?.kind == .folder else { continue }
      add(entry, files, in: cache)
    }
  }

  private mutating func add(_ name: String, _ files: InstanceFiles, in cache: Cache) {
    let record = try? InstanceRecord(reading: files.record)
    let backing = try? DiskImage.baseImage(of: files.disk)
    for path in Set([record?.baseImage, backing].compactMap(\.self)) {
      let key = Self.key(path)
      // Both may name the same image, before and after the cache was moved.
      if users[key]?.last != name { users[key, default: []].append(name) }
      paths[key] = cache.place(ofImage: path)
      if let digest = record?.baseDigest, record?.baseImage == path {
        digests[key, default: []].insert(digest)
      }
    }
    // An instance without a disk needs no image.
    if record == nil, backing == nil, Files.exists(files.disk) { unknown.append(name) }
  }

  /// The instances that use the image at a path.
  package func of(_ path: String) -> [String] { users[Self.key(path)] ?? [] }

  /// The digests in its users' records: normally one.
  func digests(of path: String) -> Set<String> { digests[Self.key(path)] ?? [] }

  /// The paths of all used images, sorted.
  package var needed: [String] { paths.values.sorted() }

  /// The last two parts of a path, `v0.15.0/freebsd-14.2-x86-64.qcow2`.
  static func key(_ path: String) -> String {
    "\(Files.lastName(of: Files.parent(of: path)))/\(Files.lastName(of: path))"
  }
}
