internal import QMPClient

/// Which instances stand on which base images.
///
/// An instance names its image in its record, and its disk names it in its header: both count. The
/// release and the file's name are compared and not the whole path, since one cache can be reached
/// by several, and be moved.
package struct ImageUsers: Sendable {
  /// The instances by what they need, in order.
  private var users: [String: [String]] = [:]
  private var digests: [String: Set<String>] = [:]
  private var paths: [String: String] = [:]
  /// Instances that don't tell what they need: neither record nor disk can be read.
  package private(set) var unknown: [String] = []

  /// Looks at every instance, and at those that are being created.
  ///
  /// - Throws: ``FileError`` where they can't be listed: nothing must be taken for unused then.
  package init(in cache: Cache) throws(FileError) {
    for entry in try Files.contents(of: cache.instances) {
      let files = InstanceFiles(folder: "\(cache.instances)/\(entry)")
      if entry.hasPrefix(".new-") {
        // One whose maker was killed is nobody's.
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
      // Both may name the same one, before and after the cache was moved.
      if users[key]?.last != name { users[key, default: []].append(name) }
      paths[key] = cache.place(ofImage: path)
      if let digest = record?.baseDigest, record?.baseImage == path {
        digests[key, default: []].insert(digest)
      }
    }
    // Without a disk there is nothing to lose.
    if record == nil, backing == nil, Files.exists(files.disk) { unknown.append(name) }
  }

  /// Who needs the image at a path.
  package func of(_ path: String) -> [String] { users[Self.key(path)] ?? [] }

  /// The digests that its users know it by: one, if nothing went wrong.
  func digests(of path: String) -> Set<String> { digests[Self.key(path)] ?? [] }

  /// The paths of all images that are needed, sorted.
  package var needed: [String] { paths.values.sorted() }

  /// The last two parts of a path, `v0.15.0/freebsd-14.2-x86-64.qcow2`.
  static func key(_ path: String) -> String {
    "\(Files.lastName(of: Files.parent(of: path)))/\(Files.lastName(of: path))"
  }
}
