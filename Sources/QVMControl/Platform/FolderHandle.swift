#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif
package import QMPClient

/// An open folder whose entries are named by single names, as bytes: a name needn't be UTF-8.
///
/// No call follows a link in the place of an entry. A name that is empty, `.` or `..`, or that has a
/// slash or a zero byte, is `EINVAL`. So a walk through a tree by these calls never leaves it, even if
/// another process changes it meanwhile.
package struct FolderHandle: Sendable {
  let descriptor: Descriptor

  init(_ descriptor: Descriptor) { self.descriptor = descriptor }

  /// Opens a folder by its path, following links.
  package init(path: String) throws(SystemError) {
    let number = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard number >= 0 else { throw .last("open") }
    descriptor = Descriptor(owning: number)
  }

  /// What an entry is.
  package struct Entry: Sendable {
    package enum Kind: Sendable { case file, folder, link, socket, fifo, device }

    package let kind: Kind
    /// The length in bytes.
    package let size: Int
    /// The space that it takes on the disk, in bytes.
    package let allocated: Int
    /// The permissions with setuid, setgid and sticky.
    package var mode: UInt32
    /// How many names the file has.
    package let names: Int
    package let device: UInt64
    package let inode: UInt64
    package let modified: FileTime
  }

  // MARK: - Looking

  /// What the folder itself is.
  package func information() throws(SystemError) -> Entry { try Self.information(descriptor) }

  static func information(_ descriptor: Descriptor) throws(SystemError) -> Entry {
    var status = stat()
    guard fstat(descriptor.number, &status) == 0 else { throw .last("fstat") }
    return Entry(status)
  }

  /// What an entry is; nil if there is none.
  package func information(_ name: [UInt8]) throws(SystemError) -> Entry? {
    var status = stat()
    do {
      try call("fstatat", name) { fstatat(descriptor.number, $0, &status, AT_SYMLINK_NOFOLLOW) }
    } catch {
      if error.isAbsent { return nil }
      throw error
    }
    return Entry(status)
  }

  /// The names in it, sorted, each with its kind if the file system tells.
  package func contents() throws(SystemError) -> [(name: [UInt8], kind: Entry.Kind?)] {
    // A description of its own: the position in a folder belongs to the description.
    let number = openat(descriptor.number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard number >= 0 else { throw .last("open") }
    guard let stream = fdopendir(number) else {
      let error = SystemError.last("fdopendir")
      close(number)
      throw error
    }
    defer { closedir(stream) }
    var entries: [(name: [UInt8], kind: Entry.Kind?)] = []
    while true {
      errno = 0
      guard let entry = readdir(stream) else {
        if errno != 0 { throw .last("readdir") }
        break
      }
      guard let offset = MemoryLayout<dirent>.offset(of: \.d_name) else { break }
      let start = UnsafeRawPointer(entry).advanced(by: offset).assumingMemoryBound(to: CChar.self)
      let name = UnsafeRawBufferPointer(start: start, count: strlen(start))
      if name.elementsEqual([0x2E]) || name.elementsEqual([0x2E, 0x2E]) { continue }
      entries.append((Array(name), Entry.Kind(directoryType: entry.pointee.d_type)))
    }
    entries.sort { Self.precedes($0.name, $1.name) }
    return entries
  }

  /// Orders names by their bytes.
  private static func precedes(_ name: [UInt8], _ other: [UInt8]) -> Bool {
    let order = name.withUnsafeBytes { first in
      other.withUnsafeBytes { second -> Int32 in
        guard let begin = first.baseAddress, let otherBegin = second.baseAddress else { return 0 }
        return memcmp(begin, otherBegin, min(first.count, second.count))
      }
    }
    return order != 0 ? order < 0 : name.count < other.count
  }

  /// The text of a link.
  package func linkTarget(_ name: [UInt8]) throws(SystemError) -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let count = try call("readlink", name) { path in
      buffer.withUnsafeMutableBytes { bytes in
        guard let base = bytes.baseAddress else { return -1 }
        return Int32(
          readlinkat(descriptor.number, path, base.assumingMemoryBound(to: CChar.self), bytes.count)
        )
      }
    }
    return Array(buffer.prefix(Int(count)))
  }

  /// Whether a file has holes, as far as its file system tells. Moves the position to the end.
  static func hasHoles(_ file: Descriptor, size: Int) -> Bool {
    #if canImport(Darwin)
      let seekHole = SEEK_HOLE
    #else
      // SEEK_HOLE of <unistd.h>, which the module map hides.
      let seekHole: Int32 = 4
    #endif
    let hole = lseek(file.number, 0, seekHole)
    return hole >= 0 && hole < size
  }

  // MARK: - Opening

  /// Opens a folder in it.
  package func folder(_ name: [UInt8]) throws(SystemError) -> FolderHandle {
    FolderHandle(try opened(name, O_RDONLY | O_DIRECTORY))
  }

  /// Opens a file in it for reading. Look at what it is before reading: a pipe reads as empty.
  package func file(_ name: [UInt8]) throws(SystemError) -> Descriptor {
    // Non-blocking: opening a pipe without a writer would wait for one.
    try opened(name, O_RDONLY | O_NONBLOCK)
  }

  func opened(_ name: [UInt8], _ flags: Int32, mode: UInt32 = 0) throws(SystemError) -> Descriptor {
    Descriptor(
      owning: try call("open", name) {
        openat(descriptor.number, $0, flags | O_NOFOLLOW | O_CLOEXEC, mode_t(mode))
      })
  }

  /// Makes a system call with a name in this folder.
  @discardableResult
  func call(
    _ what: String, _ name: [UInt8], _ body: (UnsafePointer<CChar>) -> Int32
  ) throws(SystemError) -> Int32 {
    let slash = UInt8(ascii: "/")
    guard !name.isEmpty, !name.contains(0), !name.contains(slash), name != [0x2E],
      name != [0x2E, 0x2E]
    else { throw SystemError(call: what, code: EINVAL) }
    let (result, code) = Self.withCString(name) { path in
      while true {
        let result = body(path)
        if result >= 0 { return (result, Int32(0)) }
        if errno != EINTR { return (result, errno) }
      }
    }
    if result < 0 { throw SystemError(call: what, code: code) }
    return result
  }

  /// Passes bytes, which have no zero, as a string of C.
  static func withCString<Result>(
    _ bytes: [UInt8], _ body: (UnsafePointer<CChar>) -> Result
  ) -> Result {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: bytes.count + 1) { buffer in
      let end = buffer.initialize(fromContentsOf: bytes)
      buffer.initializeElement(at: end, to: 0)
      return buffer.withMemoryRebound(to: CChar.self) { characters in
        guard let base = characters.baseAddress else { return body("") }
        return body(base)
      }
    }
  }
}

extension FolderHandle.Entry {
  /// A file without contents that is on no disk.
  static let emptyFile = Self(
    kind: .file, size: 0, allocated: 0, mode: 0o600, names: 1, device: 0, inode: 0,
    modified: FileTime(seconds: 0))

  init(_ status: stat) {
    kind = Kind(mode: status.st_mode)
    size = Int(status.st_size)
    allocated = Int(status.st_blocks) * 512
    mode = UInt32(status.st_mode) & 0o7777
    names = Int(status.st_nlink)
    device = UInt64(truncatingIfNeeded: status.st_dev)
    inode = UInt64(status.st_ino)
    #if canImport(Darwin)
      let time = status.st_mtimespec
    #else
      let time = status.st_mtim
    #endif
    modified = FileTime(seconds: time.tv_sec, nanoseconds: time.tv_nsec)
  }
}

extension FolderHandle.Entry.Kind {
  init(mode: mode_t) {
    self =
      switch mode & S_IFMT {
      case S_IFREG: .file
      case S_IFDIR: .folder
      case S_IFLNK: .link
      case S_IFSOCK: .socket
      case S_IFIFO: .fifo
      default: .device
      }
  }

  /// From the type in a folder's listing; nil if the file system doesn't tell.
  init?(directoryType type: UInt8) {
    switch Int(type) {
    case Int(DT_REG): self = .file
    case Int(DT_DIR): self = .folder
    case Int(DT_LNK): self = .link
    case Int(DT_SOCK): self = .socket
    case Int(DT_FIFO): self = .fifo
    case Int(DT_CHR), Int(DT_BLK): self = .device
    default: return nil
    }
  }
}

/// A time of a file.
package struct FileTime: Sendable, Hashable {
  /// Since 1970; negative before.
  package let seconds: Int
  /// 0 to 999,999,999.
  package let nanoseconds: Int

  package init(seconds: Int, nanoseconds: Int = 0) {
    self.seconds = seconds
    self.nanoseconds = nanoseconds
  }
}

extension SystemError {
  /// A link or something else is in the place of a folder.
  var isNoFolder: Bool { code == ELOOP || code == ENOTDIR }
}
