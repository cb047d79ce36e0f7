#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// Giving the room of a file's beginning back to the disk while somebody goes on writing at its end.
///
/// The bytes keep their places, so that neither the writer nor a reader who counts has to be told.
extension Files {
  /// What begins and ends at multiples of this can be given back, on every file system in use.
  private static let block = 1 << 16

  /// Gives the room of a file's first bytes back, as many of `count` as fill whole blocks; they
  /// read as zeros from now on.
  ///
  /// - Returns: Whether that was done: not every file system can.
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
      // What fallocate(2), which the module map hides, does with FALLOC_FL_PUNCH_HOLE.
      guard let pages = mmap(nil, length, PROT_READ | PROT_WRITE, MAP_SHARED, number, 0),
        pages != MAP_FAILED
      else { return false }
      defer { munmap(pages, length) }
      return madvise(pages, length, Int32(MADV_REMOVE)) == 0
    #endif
  }

  /// Where, from an offset on, a file's bytes are still there; the offset itself where it can't be
  /// told, or where there are none.
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
