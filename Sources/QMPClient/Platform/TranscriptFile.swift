#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// A file that holds only whole lines, as far as the operating system allows it.
struct TranscriptFile {
  private let descriptor: Descriptor
  private var length = 0

  /// Creates the file with mode 0600, or truncates it.
  init(path: String) throws(SystemError) {
    let number = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard number >= 0 else { throw .last("open") }
    descriptor = Descriptor(owning: number)
  }

  /// Takes over an open file.
  init(_ descriptor: Descriptor) { self.descriptor = descriptor }

  /// Appends a line. If that fails, removes the part that was written.
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
