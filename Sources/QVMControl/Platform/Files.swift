#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif
package import QMPClient

extension SystemError {
  var isFull: Bool { code == ENOSPC || code == EDQUOT }
  /// The other side of a pipe or a socket is gone.
  var isClosed: Bool { code == EPIPE || code == ECONNRESET }
  var isForbidden: Bool { code == EACCES || code == EPERM || code == EROFS }
  /// The destination of a `rename` is a folder that is not empty: another process was first.
  package var isOccupied: Bool { code == ENOTEMPTY || code == EEXIST }
  static let notOwned = SystemError(call: "stat", code: EPERM)
  static let notFolder = SystemError(call: "stat", code: ENOTDIR)
  /// A pipe, a device or a socket: a read might block for ever, and an open might have side
  /// effects.
  static let notFile = SystemError(call: "open", code: ENXIO)
  static let tooBig = SystemError(call: "read", code: EFBIG)
  static let isLink = SystemError(call: "open", code: ELOOP)
  static let hasOtherNames = SystemError(call: "fstat", code: EMLINK)
  static let isOccupant = SystemError(call: "lstat", code: EEXIST)
  static let isInUse = SystemError(call: "bind", code: EADDRINUSE)
  /// The folder at a path was replaced by another one.
  static let isAnother = SystemError(call: "fstat", code: ESTALE)
  static let nothingThere = SystemError(call: "lstat", code: ENOENT)
  /// The file system has no sockets.
  var meansNoSockets: Bool { [EPERM, EOPNOTSUPP, ENOTSUP, EINVAL, ENOSYS, EIO].contains(code) }
}

/// Files and folders, by absolute path.
///
/// Folders are created with mode 0700 and files with 0600. A file that is replaced as a whole
/// appears under its name only when its contents are on the disk.
package enum Files {
  package enum Kind: Sendable { case file, folder, link, socket, other }

  static func fail(_ verb: String, _ path: String, _ call: String) -> FileError {
    FileError(verb: verb, path: path, cause: .last(call))
  }

  // MARK: - Looking

  /// What a path names, without following a final link; nil if there is nothing.
  package static func information(_ path: String) -> Information? {
    var status = stat()
    return lstat(path, &status) == 0 ? Information(status) : nil
  }

  package static func exists(_ path: String) -> Bool { information(path) != nil }

  /// What a path names, following a final link; nil if there is nothing.
  package static func destination(_ path: String) -> Information? {
    var status = stat()
    return stat(path, &status) == 0 ? Information(status) : nil
  }

  /// Whether a path is a link whose target certainly doesn't exist.
  package static func isDangling(_ path: String) -> Bool {
    var status = stat()
    guard lstat(path, &status) == 0, Information(status).kind == .link else { return false }
    return stat(path, &status) != 0 && errno == ENOENT
  }

  /// Whether two paths lead to the same existing file.
  package static func areSame(_ path: String, _ other: String) -> Bool {
    guard let first = destination(path), let second = destination(other) else { return false }
    return first.device == second.device && first.inode == second.inode
  }

  /// Whether this user could write there now; false on a disk that is mounted read-only.
  package static func isWritable(_ path: String) -> Bool { access(path, W_OK) == 0 }

  /// Whether a path names a file that this user may execute.
  package static func isExecutable(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
      && access(path, X_OK) == 0
  }

  /// The names in a folder, sorted, without `.` and `..`; empty if the folder doesn't exist.
  package static func list(_ folder: String) -> [String] {
    (try? contents(of: folder)) ?? []
  }

  /// The names in a folder, sorted, without `.` and `..`; empty if the folder doesn't exist.
  package static func contents(of folder: String) throws(FileError) -> [String] {
    guard let stream = opendir(folder) else {
      if errno == ENOENT { return [] }
      throw fail("read", folder, "opendir")
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  /// The free space for this user on the disk of a path, in bytes; nil if unknown.
  package static func freeSpace(at path: String) -> Int? {
    var status = statvfs()
    guard statvfs(path, &status) == 0 else { return nil }
    return Int(status.f_bavail) * Int(status.f_frsize)
  }

  /// A path with all links resolved; nil if nothing is there.
  package static func resolved(_ path: String) -> String? {
    guard let real = realpath(path, nil) else { return nil }
    defer { free(real) }
    return String(cString: real)
  }

  /// The text of a link; nil if the path isn't a link.
  package static func linkTarget(_ path: String) -> String? {
    withUnsafeTemporaryAllocation(byteCount: Int(PATH_MAX), alignment: 1) { buffer in
      guard let base = buffer.baseAddress else { return nil }
      let count = readlink(path, base, buffer.count)
      guard count > 0, count < buffer.count else { return nil }
      return String(decoding: buffer[..<count], as: UTF8.self)
    }
  }

  /// Reads a file from an offset to its end. `limit` is the most bytes that it may have from there.
  ///
  /// - Throws: ``FileError``; at once if a pipe, a device or a socket is in its place.
  package static func read(
    _ path: String, from offset: Int = 0, limit: Int = 1 << 24
  ) throws(FileError) -> [UInt8] {
    // Non-blocking until it is known not to be a pipe without a writer.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw failure(ofReading: path) }
    defer { close(descriptor) }
    // If the size is known, one read is enough. Files in /proc have a size of 0.
    var status = stat()
    let isKnown = fstat(descriptor, &status) == 0
    if isKnown, !isReadable(status) {
      throw FileError(verb: "read", path: path, cause: .notFile)
    }
    let expected = isKnown ? Int(status.st_size) - offset : 0
    // Without the seek, the bytes would be those from the beginning.
    if offset > 0, lseek(descriptor, off_t(offset), SEEK_SET) < 0 {
      throw fail("read", path, "lseek")
    }
    var bytes: [UInt8] = []
    while true {
      let room = bytes.isEmpty ? min(max(expected + 1, 1 << 10), 1 << 20) : 1 << 16
      let chunk = readOnce(descriptor, atMost: room)
      guard let chunk else { throw fail("read", path, "read") }
      if bytes.isEmpty { bytes = chunk } else { bytes += chunk }
      if bytes.count > limit { throw FileError(verb: "read", path: path, cause: .tooBig) }
      if chunk.isEmpty || expected > 0 && bytes.count == expected { return bytes }
    }
  }

  /// The text of a small file such as those in /proc; nil if it can't be read.
  package static func text(_ path: String) -> String? {
    guard let bytes = try? read(path) else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The bytes of one read; empty at the end of the file, nil with `errno` on an error.
  static func readOnce(_ descriptor: Int32, atMost room: Int) -> [UInt8]? {
    var count = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: room) { buffer, initializedCount in
      count = readOnce(descriptor, into: UnsafeMutableRawBufferPointer(buffer))
      initializedCount = max(0, count)
    }
    return count < 0 ? nil : bytes
  }

  static func readOnce(_ descriptor: Int32, _ chunk: inout [UInt8]) -> Int {
    chunk.withUnsafeMutableBytes { readOnce(descriptor, into: $0) }
  }

  private static func readOnce(
    _ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer
  ) -> Int {
    while true {
      #if canImport(Darwin)
        let count = Darwin.read(descriptor, buffer.baseAddress, buffer.count)
      #elseif canImport(Glibc)
        let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
      #else
        let count = Musl.read(descriptor, buffer.baseAddress, buffer.count)
      #endif
      if count >= 0 || errno != EINTR { return count }
    }
  }

  // MARK: - Folders

  /// Creates a folder and its parents with mode 0700. An existing folder stays unchanged.
  package static func makeFolder(_ path: String) throws(FileError) {
    if mkdir(path, 0o700) == 0 { return }
    switch errno {
    case EEXIST, EISDIR:
      // A link could lead anywhere: another user may have planted it.
      guard let kind = information(path)?.kind, kind != .folder else { return }
      throw FileError(verb: "use", path: path, cause: kind == .link ? .isLink : .notFolder)
    case ENOENT:
      let parent = self.parent(of: path)
      guard parent != path else { throw fail("create", path, "mkdir") }
      try makeFolder(parent)
      if mkdir(path, 0o700) != 0, errno != EEXIST { throw fail("create", path, "mkdir") }
    default: throw fail("create", path, "mkdir")
    }
  }

  /// Creates a folder for this user only. An existing one must be a real folder of this user's.
  package static func makePrivateFolder(_ path: String) throws(FileError) {
    if information(path) == nil { try makeFolder(path) }
    guard let found = information(path), found.kind == .folder else {
      let isLink = information(path)?.kind == .link
      throw FileError(verb: "use", path: path, cause: isLink ? .isLink : .notFolder)
    }
    guard found.owner == geteuid() else {
      throw FileError(verb: "use", path: path, cause: .notOwned)
    }
    if found.mode & 0o077 != 0, chmod(path, 0o700) != 0 { throw fail("protect", path, "chmod") }
  }

  package static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}

extension Files {
  /// The first bytes of a file, which show its kind; fewer if the file is shorter.
  static func head(of path: String, count: Int) throws(FileError) -> [UInt8] {
    // Non-blocking: a pipe without a writer has no bytes.
    let number = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard number >= 0 else { throw failure(ofReading: path) }
    let descriptor = Descriptor(owning: number)
    var bytes: [UInt8] = []
    while bytes.count < count, let more = readSome(descriptor.number) {
      bytes.append(contentsOf: more)
    }
    return Array(bytes.prefix(count))
  }
}

/// Reading files in parts.
extension Files {
  /// Opens a file for reading.
  package static func openForReading(_ path: String) throws(FileError) -> Descriptor {
    let number = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard number >= 0 else { throw failure(ofReading: path) }
    let descriptor = Descriptor(owning: number)
    var status = stat()
    if fstat(number, &status) == 0, !isReadable(status) {
      throw FileError(verb: "read", path: path, cause: .notFile)
    }
    return descriptor
  }

  /// Whether reading can't block for ever. For a folder, the read itself reports an error.
  static func isReadable(_ status: stat) -> Bool {
    [S_IFREG, S_IFDIR].contains(status.st_mode & S_IFMT)
  }

  /// The error that `open` has just set in `errno`.
  static func failure(ofReading path: String) -> FileError {
    // These codes mean a socket, or a device without a driver.
    let isNotFile = errno == ENXIO || errno == EOPNOTSUPP
    return isNotFile
      ? FileError(verb: "read", path: path, cause: .notFile) : fail("read", path, "open")
  }

  /// Reads into a buffer from where the last read of the descriptor ended. Returns the number of
  /// bytes; 0 at the end of the file.
  static func read(
    _ descriptor: Descriptor, into buffer: inout [UInt8], of path: String
  ) throws(FileError) -> Int {
    let count = readOnce(descriptor.number, &buffer)
    if count < 0 { throw fail("read", path, "read") }
    return count
  }

  /// Reads into a buffer from an offset. Returns the number of bytes; 0 at the end of the file.
  static func read(
    _ descriptor: Descriptor, at offset: Int, into buffer: inout [UInt8], of path: String
  ) throws(FileError) -> Int {
    guard lseek(descriptor.number, off_t(offset), SEEK_SET) >= 0 else {
      throw fail("read", path, "lseek")
    }
    return try read(descriptor, into: &buffer, of: path)
  }
}
