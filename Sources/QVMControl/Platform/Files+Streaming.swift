#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif
package import QMPClient

/// Reading files bit by bit.
extension Files {
  /// Opens a file for reading.
  package static func openForReading(_ path: String) throws(FileError) -> Descriptor {
    let number = open(path, O_RDONLY | O_CLOEXEC)
    guard number >= 0 else { throw fail("read", path, "open") }
    return Descriptor(owning: number)
  }

  /// Fills a buffer from where the last read of the descriptor ended; fewer bytes at the end of
  /// the file, none there.
  static func read(
    _ descriptor: Descriptor, into buffer: inout [UInt8], of path: String
  ) throws(FileError) -> Int {
    let count = readOnce(descriptor.number, &buffer)
    if count < 0 { throw fail("read", path, "read") }
    return count
  }

  /// Fills a buffer from an offset on; fewer bytes at the end of the file, none there.
  static func read(
    _ descriptor: Descriptor, at offset: Int, into buffer: inout [UInt8], of path: String
  ) throws(FileError) -> Int {
    guard lseek(descriptor.number, off_t(offset), SEEK_SET) >= 0 else {
      throw fail("read", path, "lseek")
    }
    return try read(descriptor, into: &buffer, of: path)
  }
}
