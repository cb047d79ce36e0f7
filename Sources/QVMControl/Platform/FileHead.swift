#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif
internal import QMPClient

extension Files {
  /// The first bytes of a file, fewer where it is shorter: what tells a kind of file from another.
  static func head(of path: String, count: Int) throws(FileError) -> [UInt8] {
    let number = open(path, O_RDONLY | O_CLOEXEC)
    guard number >= 0 else { throw FileError(verb: "read", path: path, cause: .last("open")) }
    let descriptor = Descriptor(owning: number)
    var bytes: [UInt8] = []
    while bytes.count < count, let more = readSome(descriptor.number) {
      bytes.append(contentsOf: more)
    }
    return Array(bytes.prefix(count))
  }
}
