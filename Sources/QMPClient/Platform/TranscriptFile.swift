#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// A file that only ever holds whole lines, as far as the operating system lets it.
struct TranscriptFile {
  private let descriptor: Descriptor
  private var length = 0

  /// Creates the file, or empties the one that is there; for this user only.
  init(path: String) throws(SystemError) {
    let number = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard number >= 0 else { throw .last("open") }
    descriptor = Descriptor(owning: number)
  }

  /// Takes over a file that is open.
  init(_ descriptor: Descriptor) { self.descriptor = descriptor }

  /// Appends a line; where that fails, takes back what has been written of it.
  mutating func append(_ line: [UInt8]) throws(SystemError) {
    var rest = line[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(descriptor.number, $0.baseAddress, $0.count) }
      if count > 0 {
        rest = rest.dropFirst(count)
      } else if count == 0 || errno != EINTR {
        let error = SystemError.last("write")
        _ = ftruncate(descriptor.number, off_t(length))
        throw error
      }
    }
    length += line.count
  }
}
