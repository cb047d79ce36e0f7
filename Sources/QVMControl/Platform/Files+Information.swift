#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

extension Files {
  package struct Information: Sendable {
    package let kind: Kind
    /// The length in bytes.
    package let size: Int
    /// The space that it takes on the disk, in bytes.
    package let allocated: Int
    package let mode: UInt32
    package let owner: UInt32
    /// Seconds since 1970.
    package let modified: Int
    /// Nanoseconds since 1970, with the file system's precision.
    package let modifiedExactly: Int
    /// The last change of the file or its attributes, in nanoseconds since 1970. Programs can't set
    /// it.
    package let changedExactly: Int
    package let inode: UInt64
    package let device: UInt64
  }

  /// The space that a file, or a folder with its contents, takes on the disk, in bytes.
  package static func allocated(below path: String) -> Int {
    guard let found = information(path) else { return 0 }
    guard found.kind == .folder else { return found.allocated }
    return list(path).reduce(found.allocated) { $0 + allocated(below: "\(path)/\($1)") }
  }
}

extension Files.Information {
  init(_ status: stat) {
    kind =
      switch status.st_mode & S_IFMT {
      case S_IFREG: .file
      case S_IFDIR: .folder
      case S_IFLNK: .link
      case S_IFSOCK: .socket
      default: .other
      }
    size = Int(status.st_size)
    allocated = Int(status.st_blocks) * 512
    mode = UInt32(status.st_mode) & 0o7777
    owner = status.st_uid
    #if canImport(Darwin)
      let (time, change) = (status.st_mtimespec, status.st_ctimespec)
    #else
      let (time, change) = (status.st_mtim, status.st_ctim)
    #endif
    changedExactly = change.tv_sec &* 1_000_000_000 &+ change.tv_nsec
    modified = time.tv_sec
    modifiedExactly = time.tv_sec &* 1_000_000_000 &+ time.tv_nsec
    inode = UInt64(status.st_ino)
    device = UInt64(truncatingIfNeeded: status.st_dev)
  }
}
