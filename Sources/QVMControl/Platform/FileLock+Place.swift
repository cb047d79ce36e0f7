#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif
internal import QMPClient

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
