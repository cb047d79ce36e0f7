internal import QMPClient

/// What can be seen of an instance without reading a file of it.
struct InstanceGlance: Sendable {
  /// Tells that its record and those of its last boot are still the same files: qvm writes each of
  /// them by renaming a new one into the instance's folder, which changes that folder's times.
  let stamp: UInt64
  /// When a file last appeared in the folder, or went, in seconds since 1970.
  let changed: Int
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
    let own = folder.information(name)
    // The lock later: whoever boots it holds that before there is a new record.
    isLocked = folder.isLocked(name, InstanceFiles.vmLockName)
    let disk = folder.information(name, InstanceFiles.diskName)
    stamp = Self.stamp(of: own, disk)
    changed = own?.modified ?? 0
    size = disk?.allocated ?? 0
  }

  /// The disk is looked at anyway, and changes as well where somebody puts back an older instance.
  private static func stamp(
    of folder: Files.Information?, _ disk: Files.Information?
  ) -> UInt64 {
    var stamp: UInt64 = 0xcbf2_9ce4_8422_2325
    func take(_ word: UInt64) {
      stamp = (stamp ^ word) &* 0x100_0000_01b3
      stamp ^= stamp >> 29
    }
    for found in [folder, disk] {
      take(found?.inode ?? .max)
      take(UInt64(truncatingIfNeeded: found?.changedExactly ?? -1))
      take(UInt64(truncatingIfNeeded: found?.modifiedExactly ?? -1))
    }
    return stamp
  }
}
