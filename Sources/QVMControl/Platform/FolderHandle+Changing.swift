#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif
package import QMPClient

/// Creating, replacing and removing entries.
extension FolderHandle {
  /// Creates a folder. Its mode is 0700, or what the umask leaves of 0777 if `isShared`.
  package func makeFolder(_ name: [UInt8], isShared: Bool) throws(SystemError) {
    try call("mkdir", name) { mkdirat(descriptor.number, $0, isShared ? 0o777 : 0o700) }
  }

  /// Creates a file with mode 0600, open for writing. An entry of that name is `EEXIST`.
  package func makeFile(_ name: [UInt8]) throws(SystemError) -> Descriptor {
    try opened(name, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
  }

  /// Creates a symbolic link. An entry of that name is `EEXIST`.
  package func makeLink(_ name: [UInt8], to target: [UInt8]) throws(SystemError) {
    try call("symlink", name) { path in
      Self.withCString(target) { symlinkat($0, descriptor.number, path) }
    }
  }

  /// Gives a file in another folder a second name here. An entry of that name is `EEXIST`.
  package func makeHardLink(
    _ name: [UInt8], to target: [UInt8], in folder: FolderHandle
  ) throws(SystemError) {
    try call("link", target, name) {
      linkat(folder.descriptor.number, $0, descriptor.number, $1, 0)
    }
  }

  /// Renames an entry. It replaces atomically what has the new name, unless that is a folder.
  package func rename(_ name: [UInt8], to newName: [UInt8]) throws(SystemError) {
    try call("rename", name, newName) { renameat(descriptor.number, $0, descriptor.number, $1) }
  }

  /// Makes a system call with two names.
  private func call(
    _ what: String, _ name: [UInt8], _ other: [UInt8],
    _ body: (UnsafePointer<CChar>, UnsafePointer<CChar>) -> Int32
  ) throws(SystemError) {
    try call(what, name) { first in
      // The inner call checks the second name. Its failure goes to the outer one by errno.
      do throws(SystemError) { return try call(what, other) { body(first, $0) } } catch {
        errno = error.code
        return -1
      }
    }
  }

  /// Removes an entry that isn't a folder. Not an error if there is none.
  package func remove(_ name: [UInt8]) throws(SystemError) {
    do { try call("unlink", name) { unlinkat(descriptor.number, $0, 0) } } catch {
      if !error.isAbsent { throw error }
    }
  }

  /// Sets the time of the last change of an entry; of a link, its own.
  package func setTime(_ time: FileTime, of name: [UInt8]) throws(SystemError) {
    var times = Self.times(time)
    try call("utimensat", name) {
      utimensat(descriptor.number, $0, &times, AT_SYMLINK_NOFOLLOW)
    }
  }

  /// Sets the time of the last change and, if there is one, the mode of an open file or folder.
  static func set(
    mode: UInt32?, time: FileTime?, of descriptor: Descriptor
  ) throws(SystemError) {
    if let mode, fchmod(descriptor.number, mode_t(mode)) != 0 { throw .last("fchmod") }
    guard let time else { return }
    var times = Self.times(time)
    if futimens(descriptor.number, &times) != 0 { throw .last("futimens") }
  }

  private static func times(_ modified: FileTime) -> [timespec] {
    let time = timespec(tv_sec: modified.seconds, tv_nsec: modified.nanoseconds)
    // The time of the last access becomes the same.
    return [time, time]
  }

  /// Writes all bytes at an offset of a file.
  static func write(
    _ bytes: UnsafeRawBufferPointer, at offset: Int, of descriptor: Descriptor
  ) throws(SystemError) {
    var done = 0
    while done < bytes.count {
      let part = UnsafeRawBufferPointer(rebasing: bytes[done...])
      let count = pwrite(descriptor.number, part.baseAddress, part.count, off_t(offset + done))
      if count > 0 { done += count } else if errno != EINTR { throw .last("write") }
    }
  }

  /// Sets the length of a file. What is added is a hole.
  static func setSize(_ size: Int, of descriptor: Descriptor) throws(SystemError) {
    if ftruncate(descriptor.number, off_t(size)) != 0 { throw .last("ftruncate") }
  }
}

/// Between two folders.
extension FolderHandle {
  /// Moves an entry to another folder on the same disk. It replaces atomically what has the new name,
  /// unless that is a folder.
  func move(
    _ name: [UInt8], to newName: [UInt8], in folder: FolderHandle
  ) throws(SystemError) {
    try call("rename", name, newName) {
      renameat(descriptor.number, $0, folder.descriptor.number, $1)
    }
  }

  /// Whether two entries are files with the same bytes, or links with the same target.
  static func haveSameContents(
    _ one: (folder: FolderHandle, name: [UInt8]), _ other: (folder: FolderHandle, name: [UInt8])
  ) throws(SystemError) -> Bool {
    guard let first = try one.folder.information(one.name),
      let second = try other.folder.information(other.name), first.kind == second.kind
    else { return false }
    switch first.kind {
    case .link:
      return try one.folder.linkTarget(one.name) == other.folder.linkTarget(other.name)
    case .file where first.size == second.size:
      let files = (try one.folder.file(one.name), try other.folder.file(other.name))
      while true {
        let part = Files.readOnce(files.0.number, atMost: 1 << 18)
        guard let part, part == Files.readOnce(files.1.number, atMost: part.count) else {
          return false
        }
        if part.isEmpty { return true }
      }
    default: return false
    }
  }
}
