internal import QMPClient

/// What a tar archive says that it holds, by its headers: read before tar makes any of it.
///
/// It must find the same headers as tar: what isn't certain to be read in the same way is refused.
/// What is wrong with an archive in other ways tar finds out itself, and says it better. Source:
/// POSIX.1-2017, pax, "ustar Interchange Format", and GNU tar's manual for its extensions.
struct TarListing: Sendable, Hashable {
  /// The entries that become files, folders or links.
  private(set) var entries = 0
  /// The bytes of all files together.
  private(set) var size = 0

  /// What qvm won't unpack.
  enum Problem: Error, Sendable, Hashable {
    /// It is a device, a FIFO or something unknown, or its name leads elsewhere.
    case unsafe(member: String)
    /// There is more of it than any archive of the releases has.
    case tooManyEntries(Int)
    case tooLarge(Int)
    /// There is no header where one should be, at this byte, or one that programs read differently.
    case unclear(at: Int)
  }

  /// Several times what the archives of the releases have.
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
      // Two blocks of zeros are the end. After a single one some programs go on, and some don't.
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
      // The data of what has none is skipped by some programs.
      case UInt8(ascii: "1"), UInt8(ascii: "2"), UInt8(ascii: "5"):
        if length > 0 { throw Problem.unclear(at: offset) }
      default: break
      }
      offset += Self.block + (length + Self.block - 1) / Self.block * Self.block
    }
  }

  /// Whether a header has its checksum: one that hasn't is skipped by some programs.
  private static func isSound(_ header: [UInt8]) -> Bool {
    let sum = header.indices.reduce(0) { sum, index in
      sum + ((148..<156).contains(index) ? 0x20 : Int(header[index]))
    }
    return number(header[148..<156]) == sum
  }

  /// The most bytes of the attributes of one entry.
  private static let mostAttributes = 1 << 20

  /// Makes sure that the attributes that stand in a pax header don't change where the next header
  /// is. They are `LENGTH NAME=VALUE` and a new line, the length being that of all of it.
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
      // Attributes and long names of the entry that follows.
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
    // GNU's own format has other things where POSIX has the prefix.
    let isPOSIX = header[262] == 0
    let prefix = isPOSIX ? text(345..<500) : ""
    return prefix.isEmpty ? text(0..<100) : "\(prefix)/\(text(0..<100))"
  }

  /// A number in octal digits, or in binary where the first bit says so; nil for neither.
  private static func number(_ field: ArraySlice<UInt8>) -> Int? {
    if let first = field.first, first & 0x80 != 0 {
      // Eight bytes are more than enough; what doesn't fit into them is no size.
      guard first == 0x80, field.dropFirst().dropLast(8).allSatisfy({ $0 == 0 }) else { return nil }
      return Int(exactly: field.suffix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }
    let digits = field.drop { $0 == 0x20 }.prefix { $0 != 0x20 && $0 != 0 }
    return digits.isEmpty ? 0 : Int(String(decoding: digits, as: UTF8.self), radix: 8)
  }
}
