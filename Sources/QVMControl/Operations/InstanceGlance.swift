internal import QMPClient

/// What can be seen of an instance without reading a file of it.
struct InstanceGlance: Sendable {
  /// Tells that its record and those of its last boot are still the same files, with the same bytes.
  let stamp: UInt64
  /// When the newest of them was written, in seconds since 1970.
  let newest: Int
  /// Whether somebody holds its lock.
  let isLocked: Bool
  /// What the overlay takes on the disk, in bytes.
  let size: Int

  /// So many are looked at without a word to the other threads.
  private static let partSize = 64

  /// Looks at instances.
  ///
  /// - Parameters:
  ///   - names: The instances.
  ///   - path: The folder that they are in.
  /// - Returns: What is seen of each; nothing where the folder can't be opened.
  static func all(of names: [InstanceName], in path: String) -> [InstanceGlance] {
    // Nearly all of the time is the kernel's, on its way to the files. Threads that share an open
    // folder would stand in each other's way there.
    let glances = Parallel.map(names.count, partSize: partSize) { part in
      guard let folder = OpenFolder(path) else { return [] as [InstanceGlance] }
      return part.map { InstanceGlance(of: names[$0].text, in: folder) }
    }
    return glances.count == names.count ? glances : []
  }

  /// Looks at one instance.
  init(of name: String, in folder: OpenFolder) {
    let files = InstanceFiles(folder: name)
    (stamp, newest) = Self.stamp(files, in: folder)
    // The lock last: whoever boots it holds that before there is a new record.
    isLocked = folder.isLocked(files.vmLock)
    size = folder.information(files.disk)?.allocated ?? 0
  }

  private static func stamp(
    _ files: InstanceFiles, in folder: OpenFolder
  ) -> (stamp: UInt64, newest: Int) {
    var stamp: UInt64 = 0xcbf2_9ce4_8422_2325
    var newest = 0
    func take(_ word: UInt64) {
      stamp = (stamp ^ word) &* 0x100_0000_01b3
      stamp ^= stamp >> 29
    }
    func look(at path: String) {
      guard let file = folder.information(path) else { return take(.max) }
      take(UInt64(truncatingIfNeeded: file.size))
      take(UInt64(truncatingIfNeeded: file.changedExactly))
      take(file.inode)
      newest = max(newest, file.modified)
    }
    look(at: files.record)
    look(at: files.boot)
    look(at: files.outcome)
    return (stamp, newest)
  }
}
