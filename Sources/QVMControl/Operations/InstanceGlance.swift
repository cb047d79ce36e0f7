internal import QMPClient

/// What can be seen of an instance without reading a file of it.
struct InstanceGlance: Sendable {
  /// The same as long as the instance's record and those of its last boot are the same files. qvm
  /// writes each of them by renaming a new file into the instance's folder, which changes the folder's
  /// times.
  let stamp: UInt64
  /// When a file was last added to the folder or removed from it, in seconds since 1970.
  let changed: Int
  /// Whether a process holds its lock.
  let isLocked: Bool
  /// The overlay's size on the disk, in bytes.
  let size: Int

  /// How many instances a thread looks at before it synchronizes with the others.
  private static let partSize = 64

  /// Looks at instances.
  ///
  /// - Parameters:
  ///   - names: The instances.
  ///   - path: The folder that they are in.
  /// - Returns: One for each instance; nothing if the folder can't be opened.
  static func all(of names: [InstanceName], in path: String) -> [InstanceGlance] {
    // Nearly all of the time goes to the kernel's path lookups. Threads that share an open folder
    // contend there.
    let glances = Parallel.map(names.count, partSize: partSize) { part in
      guard let folder = OpenFolder(path) else { return [] as [InstanceGlance] }
      return part.map { InstanceGlance(of: names[$0].text, in: folder) }
    }
    return glances.count == names.count ? glances : []
  }

  /// Looks at one instance.
  init(of name: String, in folder: OpenFolder) {
    let own = folder.information(name)
    // The lock comes after the folder: a process that boots the instance takes the lock before it
    // writes a new record.
    isLocked = folder.isLocked(name, InstanceFiles.vmLockName)
    let disk = folder.information(name, InstanceFiles.diskName)
    stamp = Self.stamp(of: own, disk)
    changed = own?.modified ?? 0
    size = disk?.allocated ?? 0
  }

  /// Includes the disk: its size is needed anyway, and its times change too if a user restores an
  /// older copy of the instance.
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
