/// The small disk on which a guest finds the ssh keys that may log in, when it boots.
///
/// Some images let no user in without a key. Each of them has a script that mounts such a disk, and
/// copies its file ``FATImage/fileName`` to `authorized_keys` of the image's user at every boot. All of
/// them mount the disk for writing, and OpenBSD can't do that with a disk that is write-protected. So
/// every instance has a disk of its own, which the guest may write to.
///
/// Source: `resources/provision.sh` of the builders, at every tag.
package struct KeyDisk: Sendable, Hashable {
  /// How the file system must lie on the disk for the guest to find it.
  package let form: FATImage.Form
  /// Whether it must be the last of all disks. If not, it must be the second one.
  package let isLast: Bool

  /// The disk for the guest of a base image; nil if that needs none.
  ///
  /// - Parameters:
  ///   - system: The guest's operating system.
  ///   - release: The tag of the image's release; nil for the newest one. A tag that is no version
  ///     counts as the newest, too.
  package init?(for system: OperatingSystem, release: String?) {
    switch system {
    // Its script looks at what follows a disk's name in /dev: only partitions.
    case .freebsd where Self.precedes(release, "v0.14.0"): (form, isLast) = (.partition, false)
    // Its script mounts the last name in `hw.disknames` as it is.
    case .netbsd where Self.precedes(release, "v1.0.0"): (form, isLast) = (.wholeDisk, true)
    // Its script mounts the only partition but `c` of the second name in `hw.disknames`. A whole disk
    // with a file system of this kind gets a label in which that is `i`.
    case .openbsd: (form, isLast) = (.wholeDisk, false)
    case .freebsd, .netbsd, .haiku, .omnios, .demo: return nil
    }
  }

  /// Whether the images of some releases need the disk, and those of others don't.
  package static func dependsOnRelease(_ system: OperatingSystem) -> Bool {
    KeyDisk(for: system, release: nil) == nil && KeyDisk(for: system, release: "v0.0.0") != nil
  }

  private static func precedes(_ tag: String?, _ other: String) -> Bool {
    guard let tag, tag.hasPrefix("v"), tag.dropFirst().first?.isNumber == true else { return false }
    return VersionOrder.precedes(tag, other)
  }

  /// The disk's id on QEMU's command line.
  package static let driveID = "qvm-keys"
}

extension QEMUArguments {
  /// Whether the guest gets a disk with keys.
  package var hasKeyDisk: Bool { hasDrive(KeyDisk.driveID) }

  /// Appends the disk with keys, of the same kind as the system disk.
  ///
  /// The firmware must boot the system disk. SeaBIOS takes the first disk otherwise, so the system disk
  /// comes first and has a `bootindex`.
  ///
  /// - Parameter path: The absolute path of the disk's image.
  /// - Returns: The arguments with the disk at their end.
  package func appendingKeyDisk(_ path: String) -> Self {
    guard let device = systemDevice else { return self }
    var copy = self
    if device.items["bootindex"] == nil {
      var items = device.items
      items.set("bootindex", to: "0")
      copy = copy.replacing(device.word, with: items.value)
    }
    let kind = device.items.value.prefix { $0 != "," }
    return copy.appending([
      "-device", "\(kind),drive=\(KeyDisk.driveID)",
      "-drive",
      "if=none,file=\(QEMUOptionValue.quoted(path)),id=\(KeyDisk.driveID),cache=unsafe,format=raw",
    ])
  }
}
