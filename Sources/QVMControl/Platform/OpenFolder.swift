#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif
internal import QMPClient

/// A folder that is held open, for many looks at what is in it: a look by a path from the root goes
/// through every folder above it, too.
struct OpenFolder: Sendable {
  private let descriptor: Descriptor

  /// Opens a folder; nil where that can't be done.
  init?(_ path: String) {
    let number = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard number >= 0 else { return nil }
    descriptor = Descriptor(owning: number)
  }

  /// What a path in it names, without following a final link; nil where there is nothing.
  func information(_ path: String) -> Files.Information? {
    var status = stat()
    let result = fstatat(descriptor.number, path, &status, AT_SYMLINK_NOFOLLOW)
    return result == 0 ? Files.Information(status) : nil
  }

  /// Whether somebody holds the lock of a file in it, as ``FileLock/isHeld(_:)`` tells.
  func isLocked(_ path: String) -> Bool {
    FileLock.isHeld(openat(descriptor.number, path, FileLock.lookingFlags))
  }
}
