#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif
package import QMPClient

/// A lock on a file, held for as long as its descriptor is open anywhere.
///
/// `flock(2)`: the lock belongs to the open file, so a child that inherits the descriptor holds it
/// too, and the kernel drops it when the last holder ends, however it ends.
package struct FileLock: Sendable {
  package let descriptor: Descriptor
  package let path: String

  /// Takes over a descriptor whose file is locked already, as a parent passed it.
  package init(inherited descriptor: Descriptor, path: String) {
    self.descriptor = descriptor
    self.path = path
  }

  /// Drops the lock for all who share the descriptor, before it is closed.
  package func release() { flock(descriptor.number, LOCK_UN) }

  /// Replaces what is in the file, for those who ask what its holder does; as far as the disk takes
  /// it.
  func replaceContent(with text: String) {
    guard ftruncate(descriptor.number, 0) == 0 else { return }
    let bytes = Array(text.utf8)
    _ = bytes.withUnsafeBytes { pwrite(descriptor.number, $0.baseAddress, $0.count, 0) }
  }

  private static func lock(
    _ path: String, wait: Bool, create: Bool, isShared: Bool = false
  ) throws(FileError) -> FileLock? {
    let operation = (isShared ? LOCK_SH : LOCK_EX) | (wait ? 0 : LOCK_NB)
    var glances = 0
    while true {
      let flags = O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | (create ? O_CREAT : 0)
      let number = open(path, flags, mode_t(0o600))
      guard number >= 0 else {
        throw FileError(verb: "lock", path: path, cause: .last("open"))
      }
      let descriptor = Descriptor(owning: number)
      var locked = stat()
      let isKnown = fstat(number, &locked) == 0
      guard isKnown, isFile(locked) else {
        throw FileError(verb: "lock", path: path, cause: isKnown ? .notFile : .last("fstat"))
      }
      while flock(number, operation) != 0 {
        if errno == EINTR { continue }
        if errno == EWOULDBLOCK {
          // Somebody may only have a look, which takes a moment; who holds it keeps it.
          glances += 1
          if glances > 5 { return nil }
          _ = poll(nil, 0, 5)
          continue
        }
        throw FileError(verb: "lock", path: path, cause: .last("flock"))
      }
      // Between open and flock the file may have been removed, and perhaps made anew: a lock on a
      // file without its name keeps nobody out.
      var named = stat()
      let isNamed = lstat(path, &named) == 0
      if !isNamed, !create { throw FileError(verb: "lock", path: path, cause: .last("lstat")) }
      if isNamed, locked.st_ino == named.st_ino, locked.st_dev == named.st_dev {
        return FileLock(inherited: descriptor, path: path)
      }
    }
  }

  /// Locks a file, created where it is absent; nil if another process holds the lock.
  package static func attempt(_ path: String) throws(FileError) -> FileLock? {
    try lock(path, wait: false, create: true)
  }

  /// The same together with others who share the lock; nil if a process holds it alone.
  package static func attemptShared(_ path: String) throws(FileError) -> FileLock? {
    try lock(path, wait: false, create: true, isShared: true)
  }

  /// Locks a file that must exist; nil if another process holds the lock.
  package static func attemptExisting(_ path: String) throws(FileError) -> FileLock? {
    try lock(path, wait: false, create: false)
  }

  /// Locks a file that must exist, and blocks until that is possible.
  package static func waiting(_ path: String) throws(FileError) -> FileLock? {
    try lock(path, wait: true, create: false)
  }

  /// Blocks until nobody holds the lock of a file that must exist; any number may wait side by side,
  /// and none of them keeps it.
  ///
  /// - Throws: ``FileError`` also where the file is removed meanwhile.
  package static func untilFree(_ path: String) throws(FileError) {
    _ = try lock(path, wait: true, create: false, isShared: true)
  }

  /// Whether somebody holds the lock; false where there is no such file.
  package static func isHeld(_ path: String) -> Bool {
    isHeld(open(path, lookingFlags))
  }

  /// The same where it matters that it can't be told.
  ///
  /// - Throws: ``FileError`` where a folder, a pipe, a device or a socket is in its place: whoever
  ///   boots the instance can't lock that.
  static func isHeldForCertain(_ path: String) throws(FileError) -> Bool {
    let number = open(path, lookingFlags)
    var status = stat()
    let isNotFile =
      number < 0
      ? errno == ENXIO || errno == EOPNOTSUPP : fstat(number, &status) == 0 && !isFile(status)
    let isHeld = isHeld(number)
    if isNotFile { throw FileError(verb: "lock", path: path, cause: .notFile) }
    return isHeld
  }

  /// A pipe in the place of the file keeps nobody who only has a look.
  static let lookingFlags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK

  private static func isFile(_ status: stat) -> Bool { status.st_mode & S_IFMT == S_IFREG }

  /// The same of a file that was opened for this, or could not be; it is closed.
  static func isHeld(_ number: Int32) -> Bool {
    guard number >= 0 else { return false }
    defer { close(number) }
    // A shared lock, so that two who look at the same time don't see each other.
    guard flock(number, LOCK_SH | LOCK_NB) != 0 else { return false }
    return errno == EWOULDBLOCK
  }
}
