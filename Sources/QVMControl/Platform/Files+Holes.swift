#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// Frees the disk space of a file's beginning while another process writes at its end.
///
/// All bytes keep their offsets, so neither the writer nor a reader has to know.
extension Files {
  /// The alignment of a hole, in bytes; enough for every file system in use.
  private static let block = 1 << 16

  /// Frees the space of a file's first `count` bytes, rounded down to whole blocks. They read as
  /// zeros from now on.
  ///
  /// - Returns: Whether it succeeded. Not every file system can do that.
  package static func release(first count: Int, of path: String) -> Bool {
    let length = count / block * block
    guard length > 0 else { return false }
    let number = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC)
    guard number >= 0 else { return false }
    defer { close(number) }
    #if canImport(Darwin)
      var hole = fpunchhole_t()
      hole.fp_length = off_t(length)
      return fcntl(number, F_PUNCHHOLE, &hole) == 0
    #else
      // The same as fallocate(2) with FALLOC_FL_PUNCH_HOLE, which the module map hides.
      guard let pages = mmap(nil, length, PROT_READ | PROT_WRITE, MAP_SHARED, number, 0),
        pages != MAP_FAILED
      else { return false }
      defer { munmap(pages, length) }
      return madvise(pages, length, Int32(MADV_REMOVE)) == 0
    #endif
  }

  /// The offset of a file's first data at or after an offset; the same offset if that is unknown or
  /// there is no data.
  package static func firstByte(of path: String, from offset: Int) -> Int {
    #if canImport(Darwin)
      let seekData = SEEK_DATA
    #else
      // SEEK_DATA of <unistd.h>, which the module map hides.
      let seekData: Int32 = 3
    #endif
    let number = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard number >= 0 else { return offset }
    defer { close(number) }
    let found = lseek(number, off_t(offset), seekData)
    return found < 0 ? offset : Int(found)
  }
}
