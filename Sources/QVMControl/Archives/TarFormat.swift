/// The blocks and fields of a tar archive.
///
/// Source: POSIX.1-2001 (pax), the manual of GNU tar, section "Basic Tar Format".
package enum TarFormat {
  /// The size of a header, and what contents are padded to.
  static let block = 512
  /// How many bytes of a name the header holds. A longer one goes before it as a member of its own.
  static let shortName = 100
  /// The longest path and the longest target of a link that are taken from an archive, in bytes.
  package static let longestName = 4096
  /// The first size that 12 octal digits can't express: 64 GiB.
  package static let sizeLimit = 1 << 36
  /// The last time that 11 octal digits can express: in the year 2242.
  package static let lastTime = 1 << 33 - 1

  /// The name of the member that holds a long name.
  static let longLink = Array("././@LongLink".utf8)

  /// How many zero bytes follow contents of a size.
  static func padding(_ size: Int) -> Int { (block - size % block) % block }

  /// The fields of a header: offset and length.
  enum Field {
    static let name = 0..<100
    static let mode = 100..<108
    static let owner = 108..<116
    static let group = 116..<124
    static let size = 124..<136
    static let modified = 136..<148
    static let checksum = 148..<156
    static let type = 156
    static let link = 157..<257
    static let magic = 257..<265
    static let prefix = 345..<500
  }

  /// The magic and version of GNU tar.
  static let gnuMagic = Array("ustar  \0".utf8)
  /// The magic of POSIX, without its version.
  static let posixMagic = Array("ustar\0".utf8)

  /// The types of members.
  enum MemberType {
    static let file = UInt8(ascii: "0")
    static let oldFile: UInt8 = 0
    static let hardLink = UInt8(ascii: "1")
    static let link = UInt8(ascii: "2")
    static let folder = UInt8(ascii: "5")
    static let contiguous = UInt8(ascii: "7")
    static let longName = UInt8(ascii: "L")
    static let longTarget = UInt8(ascii: "K")
    static let extended = UInt8(ascii: "x")
    /// The same as ``extended``, by Solaris.
    static let solarisExtended = UInt8(ascii: "X")
    static let global = UInt8(ascii: "g")
  }

  /// The sums of a header's bytes, with the checksum's own as blanks: of bytes without sign, and with
  /// one, as some old programs calculated it.
  static func checksums(_ header: UnsafeRawBufferPointer) -> (unsigned: Int, signed: Int) {
    var (unsigned, high) = (0, 0)
    for byte in header {
      unsigned += Int(byte)
      high += Int(byte >> 7)
    }
    for byte in header[Field.checksum] {
      unsigned += 0x20 - Int(byte)
      high -= Int(byte >> 7)
    }
    return (unsigned, unsigned - 256 * high)
  }

  /// Writes octal digits with leading zeros that fill the field.
  static func setOctal(_ value: Int, _ field: Range<Int>, of header: UnsafeMutableRawBufferPointer)
  {
    var rest = value
    for index in field.reversed() {
      header[index] = UInt8(ascii: "0") + UInt8(rest & 7)
      rest >>= 3
    }
  }

  /// The number in a field: octal digits among blanks and zero bytes, or in base 256 with the first
  /// bit set; nil if it is neither or too big.
  static func number(_ field: Slice<UnsafeRawBufferPointer>) -> Int? {
    guard let first = field.first else { return nil }
    if first & 0x80 != 0 { return binary(field) }
    var value = 0
    var digits = field[...]
    while let byte = digits.first, byte == 0x20 { digits.removeFirst() }
    while let byte = digits.first, UInt8(ascii: "0")...UInt8(ascii: "7") ~= byte {
      // The field is at most 12 digits long, so this can't overflow.
      value = value << 3 | Int(byte & 7)
      digits.removeFirst()
    }
    return digits.allSatisfy { $0 == 0 || $0 == 0x20 } ? value : nil
  }

  /// A big-endian two's complement whose first bit marks it and whose second bit is its sign.
  private static func binary(_ field: Slice<UnsafeRawBufferPointer>) -> Int? {
    guard let first = field.first else { return nil }
    var value = first & 0x40 != 0 ? Int(first) - 0x100 : Int(first & 0x3F)
    for byte in field.dropFirst() {
      let (product, isTooBig) = value.multipliedReportingOverflow(by: 256)
      if isTooBig { return nil }
      value = product | Int(byte)
    }
    return value
  }
}

/// An archive that can't be read on, or can't be written.
package enum TarError: UserFacingError, Hashable {
  /// It ends in the middle.
  case truncated
  /// It isn't an archive, or is damaged.
  case damaged(String)
  /// The disk is full. `disk` is where it is mounted, if that is known.
  case diskFull(file: String, disk: String?)
  /// A path of a selection that leads out, or is empty.
  case badSelection(String)

  package var message: String {
    switch self {
    case .truncated: "the archive ends before its end"
    case .damaged(let why): "the archive is damaged: \(why)"
    case .diskFull(let file, let disk):
      "cannot write \(file): the disk\(disk.map { " at \($0)" } ?? "") is full"
    case .badSelection(let path): "'\(path)' is no path below the folder that is copied"
    }
  }

  package var advice: String? {
    switch self {
    case .truncated:
      "Copy again: the connection or the program that made the archive ended too early."
    case .damaged: "Copy again, and look at what the other side's tar prints."
    case .diskFull: "Free some space there, and copy again."
    case .badSelection: "Give paths relative to that folder, without '..'."
    }
  }
}
