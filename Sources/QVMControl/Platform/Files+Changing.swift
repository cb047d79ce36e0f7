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
  /// Replaces a file as a whole: whoever reads it sees the old bytes or the new ones.
  ///
  /// - Parameters:
  ///   - bytes: What is to be in it.
  ///   - path: Its absolute path.
  ///   - mode: Its permissions.
  ///   - isLasting: Whether a power cut after this may not bring back the old bytes; it costs a
  ///     fsync of the folder.
  /// - Throws: ``FileError``, with the old bytes in place.
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

  /// A path from the root, whatever folder this process works in later.
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

  /// Writes what the descriptor takes; -1 with `errno` where it takes nothing.
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
          // Somebody else made the descriptor non-blocking; wait as a blocking one would.
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
      // fsync(2) of Darwin leaves the bytes in the drive's cache.
      return fcntl(descriptor, F_FULLFSYNC) == 0 ? 0 : fsync(descriptor)
    #else
      return fsync(descriptor)
    #endif
  }

  /// Makes sure that a file's bytes, or a folder's entries, are on the disk.
  package static func synchronize(_ path: String) throws(FileError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw fail("synchronize", path, "open") }
    defer { close(descriptor) }
    if sync(descriptor) != 0, errno != EINVAL { throw fail("synchronize", path, "fsync") }
  }

  /// Renames within one disk, and makes it last unless that doesn't matter.
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

  /// Removes a file, a link or a socket; no error where nothing is there.
  package static func remove(_ path: String) throws(FileError) {
    if unlink(path) != 0, errno != ENOENT { throw fail("remove", path, "unlink") }
  }

  /// Removes a folder if nothing is in it.
  package static func removeEmptyFolder(_ path: String) { rmdir(path) }

  /// Removes a folder with all that is in it, never following a link.
  package static func removeTree(_ path: String) throws(FileError) {
    guard let found = information(path) else { return }
    guard found.kind == .folder else { return try remove(path) }
    // A folder from a tarball may be read-only; its entries could not be removed then.
    if found.mode & 0o700 != 0o700 { chmod(path, 0o700) }
    for name in list(path) { try removeTree("\(path)/\(name)") }
    if rmdir(path) != 0, errno != ENOENT { throw fail("remove", path, "rmdir") }
  }

  /// Opens a file for a child's output, 0600, emptied unless it is to be appended to.
  ///
  /// - Throws: ``FileError`` for a link, and for a file with other names: what is written there
  ///   would be written to a file that is somebody else's.
  package static func openForOutput(
    _ path: String, append: Bool
  ) throws(FileError) -> Descriptor {
    // Without blocking, for as long as it may turn out to be a pipe that nobody reads.
    let flags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | (append ? O_APPEND : 0)
    let number = open(path, flags, mode_t(0o600))
    guard number >= 0 else { throw fail("write", path, "open") }
    let descriptor = Descriptor(owning: number)
    var status = stat()
    if fstat(number, &status) == 0, status.st_mode & S_IFMT == S_IFREG {
      if status.st_nlink > 1 { throw FileError(verb: "write", path: path, cause: .hasOtherNames) }
      // Only now that it is known to be no other file's name.
      if !append, ftruncate(number, 0) != 0 { throw fail("write", path, "ftruncate") }
    }
    _ = fcntl(number, F_SETFL, fcntl(number, F_GETFL) & ~O_NONBLOCK)
    return descriptor
  }

  /// Makes sure that a program which follows links may write to a path: nothing is there yet, or a
  /// file with this one name.
  ///
  /// - Throws: ``FileError``.
  package static func checkForOutput(_ path: String) throws(FileError) {
    if exists(path) { _ = try openForOutput(path, append: true) }
  }

  /// Sets the length of a file, creating it 0600; what is added reads as zeros.
  package static func setSize(_ size: Int, of path: String) throws(FileError) {
    let number = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, mode_t(0o600))
    guard number >= 0 else { throw fail("write", path, "open") }
    defer { close(number) }
    if ftruncate(number, off_t(size)) != 0 { throw fail("write", path, "ftruncate") }
  }
}
