/// The header of a qcow2 image. It shows whether the image is complete and needs no other file.
///
/// Source: QEMU's `docs/interop/qcow2.txt`. All numbers are big-endian.
package enum Qcow2Header {
  /// Why an image can't be a base image.
  package enum Problem: Error, Sendable, Hashable {
    case notQcow2(found: String)
    case truncated
    case version(Int)
    /// It needs another file. An image from outside could name any file of this host.
    case backingFile
    case externalDataFile
    case encrypted
    /// It was not closed properly when it was made.
    case dirty
    case corrupt
    case unknownFeatures(UInt64)
    case implausible

    package var description: String {
      switch self {
      case .notQcow2(let found): "is not a qcow2 image but \(found)"
      case .truncated: "ends within its header"
      case .version(let version): "has the unknown qcow2 version \(version)"
      case .backingFile: "needs another image, its backing file"
      case .externalDataFile: "keeps its data in another file"
      case .encrypted: "is encrypted"
      case .dirty: "was not closed properly"
      case .corrupt: "is marked as corrupt"
      case .unknownFeatures(let bits): "needs unknown qcow2 features (bits \(bits))"
      case .implausible: "has an implausible header"
      }
    }
  }

  /// How many bytes to read: the header of version 3 without its extensions.
  package static let length = 104

  /// Checks the header of a base image, in the first ``length`` bytes of a file; fewer if the file
  /// is shorter.
  package static func check(_ bytes: [UInt8]) throws(Problem) {
    guard bytes.starts(with: [0x51, 0x46, 0x49, 0xFB]) else {
      throw .notQcow2(found: FileKind.description(of: bytes))
    }
    guard bytes.count >= 72 else { throw .truncated }
    func number(_ offset: Int, _ count: Int) -> UInt64 {
      bytes[offset..<offset + count].reduce(0) { $0 << 8 | UInt64($1) }
    }
    let version = Int(number(4, 4))
    guard version == 2 || version == 3 else { throw .version(version) }
    guard number(8, 8) == 0 else { throw .backingFile }
    guard number(32, 4) == 0 else { throw .encrypted }
    guard let size = Int(exactly: number(24, 8)), size > 0, (9...21).contains(number(20, 4)),
      number(40, 8) > 0
    else { throw .implausible }
    if version == 2 { return }

    guard bytes.count >= length else { throw .truncated }
    let features = number(72, 8)
    if features & 0b10 != 0 { throw .corrupt }
    if features & 0b100 != 0 { throw .externalDataFile }
    if features & 0b1 != 0 { throw .dirty }
    // Bits 3 and 4 are the compression type and extended L2 entries. QEMU reports an error if it
    // doesn't know them.
    if features & ~0b11111 != 0 { throw .unknownFeatures(features & ~0b11111) }
    guard number(100, 4) >= UInt64(length) else { throw .implausible }
  }
}

extension Qcow2Header {
  /// The size of the disk that an image holds, in bytes.
  ///
  /// - Throws: `notQcow2`, `truncated`, `implausible`; ``FileError``.
  static func virtualSize(of path: String) throws -> Int {
    let head = try Files.head(of: path, count: 32)
    guard head.starts(with: [0x51, 0x46, 0x49, 0xFB]) else {
      throw Problem.notQcow2(found: FileKind.description(of: head))
    }
    guard head.count == 32 else { throw Problem.truncated }
    let size = Int(exactly: head[24..<32].reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    guard let size else { throw Problem.implausible }
    return size
  }

  /// The backing file of an overlay, as its header names it; nil for an image without one.
  ///
  /// - Throws: `notQcow2`, `truncated`, `implausible`; ``FileError``.
  static func backingFile(of path: String) throws -> String? {
    let head = try Files.head(of: path, count: 20)
    guard head.starts(with: [0x51, 0x46, 0x49, 0xFB]) else {
      throw Problem.notQcow2(found: FileKind.description(of: head))
    }
    guard head.count == 20 else { throw Problem.truncated }
    func number(_ offset: Int, _ count: Int) -> UInt64 {
      head[offset..<offset + count].reduce(0) { $0 << 8 | UInt64($1) }
    }
    let (offset, length) = (number(8, 8), number(16, 4))
    if offset == 0 { return nil }
    // The name is in the first cluster, and has at most 1023 bytes.
    guard offset < 1 << 21, length < 1024 else { throw Problem.implausible }
    let end = Int(offset + length)
    let bytes = try Files.head(of: path, count: end)
    guard bytes.count == end else { throw Problem.truncated }
    return String(decoding: bytes[Int(offset)...], as: UTF8.self)
  }
}
