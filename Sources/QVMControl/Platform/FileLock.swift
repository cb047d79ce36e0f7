#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif
package import QMPClient

/// A lock on a file, held while its descriptor is open in any process.
///
/// `flock(2)`: the lock belongs to the open file, so a child that inherits the descriptor holds it
/// too. The kernel drops it when the last holder exits, even if it was killed.
package struct FileLock: Sendable {
  package let descriptor: Descriptor
  package let path: String

  /// Takes over a parent's descriptor whose file is already locked.
  package init(inherited descriptor: Descriptor, path: String) {
    self.descriptor = descriptor
    self.path = path
  }

  /// Drops the lock for all processes that share the descriptor, before it is closed.
  package func release() { flock(descriptor.number, LOCK_UN) }

  /// Replaces the file's contents, which tell other processes what the holder does. Errors are
  /// ignored.
  func replaceContent(with text: String) {
    guard ftruncate(descriptor.number, 0) == 0 else { return }
    let bytes = Array(text.utf8)
    _ = bytes.withUnsafeBytes { pwrite(descriptor.number, $0.baseAddress, $0.count, 0) }
  }

  private static func lock(
    _ path: String, wait: Bool, create: Bool, isShared: Bool = false
  ) throws(FileError) -> FileLock? {
    let operation = (isShared ? LOCK_SH : LOCK_EX) | (wait ? 0 : LOCK_NB)
    var attempts = 0
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
          // A process that only checks the lock takes it for a moment. Retry for 25 ms before
          // treating it as held.
          attempts += 1
          if attempts > 5 { return nil }
          _ = poll(nil, 0, 5)
          continue
        }
        throw FileError(verb: "lock", path: path, cause: .last("flock"))
      }
      // Between open and flock the file may have been removed or replaced. A lock on a file without
      // its name excludes no other process.
      var named = stat()
      let isNamed = lstat(path, &named) == 0
      if !isNamed, !create { throw FileError(verb: "lock", path: path, cause: .last("lstat")) }
      if isNamed, locked.st_ino == named.st_ino, locked.st_dev == named.st_dev {
        return FileLock(inherited: descriptor, path: path)
      }
    }
  }

  /// Locks a file, and creates it if it is missing; nil if another process holds the lock.
  package static func attempt(_ path: String) throws(FileError) -> FileLock? {
    try lock(path, wait: false, create: true)
  }

  /// Takes a shared lock instead; nil if another process holds an exclusive one.
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

  /// Blocks until the lock of a file that must exist is free. Doesn't keep the lock, so several
  /// processes may wait at once.
  ///
  /// - Throws: ``FileError``, also if the file is removed meanwhile.
  package static func untilFree(_ path: String) throws(FileError) {
    _ = try lock(path, wait: true, create: false, isShared: true)
  }

  /// Whether any process holds the lock; false if there is no such file.
  package static func isHeld(_ path: String) -> Bool {
    isHeld(open(path, lookingFlags))
  }

  /// Whether any process holds the lock; an error if that is unknown.
  ///
  /// - Throws: ``FileError`` if a folder, a pipe, a device or a socket is in its place. A command
  ///   that boots the instance can't lock that.
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

  /// Non-blocking, in case the path names a pipe.
  static let lookingFlags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK

  private static func isFile(_ status: stat) -> Bool { status.st_mode & S_IFMT == S_IFREG }

  /// Whether any process holds the lock of an open file. Closes the file. A negative number counts
  /// as not held.
  static func isHeld(_ number: Int32) -> Bool {
    guard number >= 0 else { return false }
    defer { close(number) }
    // A shared lock, so that two checks at the same time don't see each other.
    guard flock(number, LOCK_SH | LOCK_NB) != 0 else { return false }
    return errno == EWOULDBLOCK
  }
}

/// Where a locked file is now, even if it was renamed after it was locked.
extension FileLock {
  /// Whether a path names the locked file itself.
  package func isFile(at path: String) -> Bool {
    var locked = stat()
    var named = stat()
    return fstat(descriptor.number, &locked) == 0 && lstat(path, &named) == 0
      && locked.st_ino == named.st_ino && locked.st_dev == named.st_dev
  }

  /// Whether the locked file has no name left. Then it was removed, and so was its folder's other
  /// content.
  package var isRemoved: Bool {
    var locked = stat()
    return fstat(descriptor.number, &locked) == 0 && locked.st_nlink == 0
  }

  /// The folder that contains the locked file now; nil if the file was removed or its place is
  /// unknown.
  package var folder: String? {
    if isFile(at: path) { return Files.parent(of: path) }
    guard let now = placeNow, isFile(at: now) else { return nil }
    return Files.parent(of: now)
  }

  private var placeNow: String? {
    #if canImport(Darwin)
      var path = [CChar](repeating: 0, count: Int(PATH_MAX))
      guard fcntl(descriptor.number, F_GETPATH, &path) == 0 else { return nil }
      return String(decoding: path.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    #else
      return Files.linkTarget("/proc/self/fd/\(descriptor.number)")
    #endif
  }
}
