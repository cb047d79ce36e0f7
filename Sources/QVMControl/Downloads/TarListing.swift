internal import QMPClient

/// The headers of a tar archive, checked before tar unpacks it.
///
/// It must find the same headers as tar. An archive that programs may read differently is refused.
/// tar itself detects other damage and reports it better. Source: POSIX.1-2017, pax, "ustar
/// Interchange Format", and GNU tar's manual for its extensions.
struct TarListing: Sendable, Hashable {
  /// The entries that become files, folders or links.
  private(set) var entries = 0
  /// The size of all files together, in bytes.
  private(set) var size = 0

  /// Why qvm doesn't unpack an archive.
  enum Problem: Error, Sendable, Hashable {
    /// A member is a device, a FIFO or something unknown, or its name leads out of the folder.
    case unsafe(member: String)
    /// It is larger than any archive of the releases.
    case tooManyEntries(Int)
    case tooLarge(Int)
    /// At this byte a header is missing, or programs read it differently.
    case unclear(at: Int)
  }

  /// Several times the maximum of the releases' archives.
  static let mostEntries = 10_000
  static let largest = 4 << 30

  private static let block = 512

  /// Reads the headers of an archive.
  ///
  /// - Throws: ``Problem``; ``FileError``.
  init(reading path: String) throws {
    let file = try Files.openForReading(path)
    var header = [UInt8](repeating: 0, count: Self.block)
    var offset = 0
    var isEnding = false
    while try Files.read(file, at: offset, into: &header, of: path) == Self.block {
      // Two blocks of zeros are the end. After a single one, some programs continue and some don't.
      if header.allSatisfy({ $0 == 0 }) {
        if isEnding { return }
        isEnding = true
        offset += Self.block
        continue
      }
      guard !isEnding, header[257..<262].elementsEqual("ustar".utf8), Self.isSound(header),
        let length = Self.number(header[124..<136]), length >= 0
      else { throw Problem.unclear(at: offset) }
      try note(header, length)
      switch header[156] {
      case UInt8(ascii: "x"), UInt8(ascii: "g"):
        try Self.checkAttributes(at: offset, length, of: file, path)
      // These members have no data. Programs differ in whether they skip some.
      case UInt8(ascii: "1"), UInt8(ascii: "2"), UInt8(ascii: "5"):
        if length > 0 { throw Problem.unclear(at: offset) }
      default: break
      }
      offset += Self.block + (length + Self.block - 1) / Self.block * Self.block
    }
  }

  /// Whether a header's checksum is right. Some programs skip a header with a wrong one.
  private static func isSound(_ header: [UInt8]) -> Bool {
    let sum = header.indices.reduce(0) { sum, index in
      sum + ((148..<156).contains(index) ? 0x20 : Int(header[index]))
    }
    return number(header[148..<156]) == sum
  }

  /// The largest size of one entry's attributes, in bytes.
  private static let mostAttributes = 1 << 20

  /// Checks that the attributes in a pax header don't change the position of the next header. Each
  /// is `LENGTH NAME=VALUE` and a newline; the length includes itself and the newline.
  private static func checkAttributes(
    at offset: Int, _ length: Int, of file: borrowing Descriptor, _ path: String
  ) throws {
    guard length <= mostAttributes else { throw Problem.unclear(at: offset) }
    var bytes = [UInt8](repeating: 0, count: length)
    guard try Files.read(file, at: offset + block, into: &bytes, of: path) == length else { return }
    var rest = bytes[...]
    while let first = rest.first, first != 0 {
      let digits = rest.prefix { $0 != 0x20 }
      guard digits.count < 8, let count = Int(String(decoding: digits, as: UTF8.self)),
        count > digits.count + 1, count <= rest.count
      else { throw Problem.unclear(at: offset) }
      let name = rest.prefix(count).dropFirst(digits.count + 1).prefix { $0 != UInt8(ascii: "=") }
      if name.elementsEqual("size".utf8) { throw Problem.unclear(at: offset) }
      rest = rest.dropFirst(count)
    }
  }

  private mutating func note(_ header: [UInt8], _ length: Int) throws(Problem) {
    switch header[156] {
    case UInt8(ascii: "x"), UInt8(ascii: "g"), UInt8(ascii: "L"), UInt8(ascii: "K"):
      // Attributes and long names of the next entry.
      break
    case 0, UInt8(ascii: "0")...UInt8(ascii: "2"), UInt8(ascii: "5"), UInt8(ascii: "7"):
      entries += 1
      let name = Self.name(of: header)
      let parts = name.split(separator: "/")
      if name.hasPrefix("/") || parts.contains("..") { throw .unsafe(member: name) }
    default: throw .unsafe(member: Self.name(of: header))
    }
    if entries > Self.mostEntries { throw .tooManyEntries(Self.mostEntries) }
    let (sum, isTooLarge) = size.addingReportingOverflow(length)
    if isTooLarge || sum > Self.largest { throw .tooLarge(Self.largest) }
    size = sum
  }

  private static func name(of header: [UInt8]) -> String {
    func text(_ range: Range<Int>) -> String {
      String(decoding: header[range].prefix { $0 != 0 }, as: UTF8.self)
    }
    // GNU's own format has other data in place of the POSIX prefix.
    let isPOSIX = header[262] == 0
    let prefix = isPOSIX ? text(345..<500) : ""
    return prefix.isEmpty ? text(0..<100) : "\(prefix)/\(text(0..<100))"
  }

  /// A number in octal digits, or in binary if the first bit is set; nil for anything else.
  private static func number(_ field: ArraySlice<UInt8>) -> Int? {
    if let first = field.first, first & 0x80 != 0 {
      // A size that doesn't fit into eight bytes is invalid.
      guard first == 0x80, field.dropFirst().dropLast(8).allSatisfy({ $0 == 0 }) else { return nil }
      return Int(exactly: field.suffix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }
    let digits = field.drop { $0 == 0x20 }.prefix { $0 != 0x20 && $0 != 0 }
    return digits.isEmpty ? 0 : Int(String(decoding: digits, as: UTF8.self), radix: 8)
  }
}
