#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif
package import QMPClient

/// Writing, renaming and removing.
extension Files {
  /// Replaces a file atomically: a reader gets the old contents or the new ones.
  ///
  /// - Parameters:
  ///   - bytes: The new contents.
  ///   - path: Its absolute path.
  ///   - mode: Its permissions.
  ///   - isLasting: Whether the new contents must survive a power failure. That costs an fsync of
  ///     the folder.
  /// - Throws: ``FileError``; the old contents are unchanged.
  package static func write(
    _ bytes: [UInt8], to path: String, mode: UInt32 = 0o600, isLasting: Bool = true
  ) throws(FileError) {
    let temporary = "\(parent(of: path))/.\(lastName(of: path)).\(getpid()).new"
    _ = unlink(temporary)
    let descriptor = open(
      temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode_t(mode))
    guard descriptor >= 0 else { throw fail("write", path, "open") }
    do throws(FileError) {
      try writeAll(bytes, to: descriptor, path: path)
      if sync(descriptor) != 0 { throw fail("write", path, "fsync") }
    } catch {
      close(descriptor)
      unlink(temporary)
      throw error
    }
    close(descriptor)
    do throws(FileError) { try rename(temporary, to: path, isLasting: isLasting) } catch {
      unlink(temporary)
      throw error
    }
  }

  /// The absolute path, which stays valid if this process changes its working folder.
  package static func absolute(_ path: String) -> String {
    path.hasPrefix("/") ? path : "\(Host.workingFolder ?? "")/\(path)"
  }

  package static func lastName(of path: String) -> Substring {
    path.split(separator: "/", omittingEmptySubsequences: true).last ?? "file"
  }

  private static func writeAll(
    _ bytes: [UInt8], to descriptor: Int32, path: String
  ) throws(FileError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = writeSome(rest, to: descriptor)
      if count < 0 { throw fail("write", path, "write") }
      rest = rest.dropFirst(count)
    }
  }

  /// Writes as many bytes as the descriptor takes. Returns their number; -1 with `errno` on an
  /// error.
  package static func writeSome(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) -> Int {
    bytes.withUnsafeBytes { buffer in
      while true {
        #if canImport(Darwin)
          let count = Darwin.write(descriptor, buffer.baseAddress, buffer.count)
        #elseif canImport(Glibc)
          let count = Glibc.write(descriptor, buffer.baseAddress, buffer.count)
        #else
          let count = Musl.write(descriptor, buffer.baseAddress, buffer.count)
        #endif
        if count >= 0 { return count }
        if errno == EINTR { continue }
        if errno == EAGAIN {
          // Another process made the descriptor non-blocking. Wait, as a blocking write would.
          var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
          if poll(&entry, 1, -1) >= 0 || errno == EINTR { continue }
        }
        return -1
      }
    }
  }

  /// Reads once from a descriptor, blocking; nil at the end and on errors.
  package static func readSome(_ descriptor: Int32) -> [UInt8]? {
    guard let bytes = readOnce(descriptor, atMost: 1 << 14), !bytes.isEmpty else { return nil }
    return bytes
  }

  private static func sync(_ descriptor: Int32) -> Int32 {
    #if canImport(Darwin)
      // On Darwin, fsync(2) leaves the bytes in the drive's cache.
      return fcntl(descriptor, F_FULLFSYNC) == 0 ? 0 : fsync(descriptor)
    #else
      return fsync(descriptor)
    #endif
  }

  /// Flushes a file's contents, or a folder's entries, to the disk.
  package static func synchronize(_ path: String) throws(FileError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw fail("synchronize", path, "open") }
    defer { close(descriptor) }
    if sync(descriptor) != 0, errno != EINVAL { throw fail("synchronize", path, "fsync") }
  }

  /// Renames within one file system. If `isLasting`, the new name survives a power failure.
  package static func rename(
    _ path: String, to destination: String, isLasting: Bool = true
  ) throws(FileError) {
    #if canImport(Darwin)
      let result = Darwin.rename(path, destination)
    #elseif canImport(Glibc)
      let result = Glibc.rename(path, destination)
    #else
      let result = Musl.rename(path, destination)
    #endif
    if result != 0 { throw fail("rename", path, "rename") }
    if isLasting { try synchronize(parent(of: destination)) }
  }

  package static func setMode(_ mode: UInt32, of path: String) throws(FileError) {
    if chmod(path, mode_t(mode)) != 0 { throw fail("protect", path, "chmod") }
  }

  package static func link(_ target: String, at path: String) throws(FileError) {
    if symlink(target, path) != 0, errno != EEXIST { throw fail("create", path, "symlink") }
  }

  /// Removes a file, a link or a socket. Not an error if there is none.
  package static func remove(_ path: String) throws(FileError) {
    if unlink(path) != 0, errno != ENOENT { throw fail("remove", path, "unlink") }
  }

  /// Removes a folder if it is empty.
  package static func removeEmptyFolder(_ path: String) { rmdir(path) }

  /// Removes a folder with its contents. Never follows a link.
  package static func removeTree(_ path: String) throws(FileError) {
    guard let found = information(path) else { return }
    guard found.kind == .folder else { return try remove(path) }
    // A folder from a tar archive may be read-only, which would protect its entries.
    if found.mode & 0o700 != 0o700 { chmod(path, 0o700) }
    for name in list(path) { try removeTree("\(path)/\(name)") }
    if rmdir(path) != 0, errno != ENOENT { throw fail("remove", path, "rmdir") }
  }

  /// Opens a file for a child's output, with mode 0600. Truncates it unless `append`.
  ///
  /// - Throws: ``FileError`` for a link, and for a file with other hard links: the output would go
  ///   to a file of another owner.
  package static func openForOutput(
    _ path: String, append: Bool
  ) throws(FileError) -> Descriptor {
    // Non-blocking until it is known not to be a pipe without a reader.
    let flags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | (append ? O_APPEND : 0)
    let number = open(path, flags, mode_t(0o600))
    guard number >= 0 else { throw fail("write", path, "open") }
    let descriptor = Descriptor(owning: number)
    var status = stat()
    if fstat(number, &status) == 0, status.st_mode & S_IFMT == S_IFREG {
      if status.st_nlink > 1 { throw FileError(verb: "write", path: path, cause: .hasOtherNames) }
      // Truncate only now, because the check above excludes a hard link to another file.
      if !append, ftruncate(number, 0) != 0 { throw fail("write", path, "ftruncate") }
    }
    _ = fcntl(number, F_SETFL, fcntl(number, F_GETFL) & ~O_NONBLOCK)
    return descriptor
  }

  /// Checks that a program that follows links may write to a path: it must not exist, or be a file
  /// without other hard links.
  ///
  /// - Throws: ``FileError``.
  package static func checkForOutput(_ path: String) throws(FileError) {
    if exists(path) { _ = try openForOutput(path, append: true) }
  }

  /// Sets the length of a file, and creates it with mode 0600 if it is missing. Added bytes read as
  /// zeros.
  package static func setSize(_ size: Int, of path: String) throws(FileError) {
    let number = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, mode_t(0o600))
    guard number >= 0 else { throw fail("write", path, "open") }
    defer { close(number) }
    if ftruncate(number, off_t(size)) != 0 { throw fail("write", path, "ftruncate") }
  }
}
