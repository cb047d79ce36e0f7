/// The fields of a header that are used.
struct TarHeader {
  let name: [UInt8]
  let target: [UInt8]
  let type: UInt8
  let size: Int
  let mode: UInt32
  let modified: Int
  let owner: Int
  let group: Int

  /// - Throws: ``TarError/damaged(_:)`` if the checksum is wrong, or a number isn't one.
  init(_ block: UnsafeRawBufferPointer) throws(TarError) {
    let sums = TarFormat.checksums(block)
    guard let sum = TarFormat.number(block[TarFormat.Field.checksum]),
      sum == sums.unsigned || sum == sums.signed
    else { throw .damaged("the checksum of a header is wrong") }
    let short = Self.text(block[TarFormat.Field.name])
    let prefix = Self.text(block[TarFormat.Field.prefix])
    // GNU tar has other things in the place of the prefix.
    let isPosix = block[TarFormat.Field.magic].starts(with: TarFormat.posixMagic)
    name = isPosix && !prefix.isEmpty ? prefix + [UInt8(ascii: "/")] + short : short
    target = Self.text(block[TarFormat.Field.link])
    type = block[TarFormat.Field.type]
    guard let size = TarFormat.number(block[TarFormat.Field.size]), size >= 0, size <= Int.max / 4
    else { throw .damaged("the size of \(Self.shown(name)) is no number") }
    self.size = size
    // These are never worth an error: some programs leave them empty or write minus one.
    mode = UInt32(truncatingIfNeeded: TarFormat.number(block[TarFormat.Field.mode]) ?? 0) & 0o7777
    modified = TarFormat.number(block[TarFormat.Field.modified]) ?? 0
    owner = TarFormat.number(block[TarFormat.Field.owner]) ?? 0
    group = TarFormat.number(block[TarFormat.Field.group]) ?? 0
  }

  private static func text(_ field: Slice<UnsafeRawBufferPointer>) -> [UInt8] {
    Array(field.prefix { $0 != 0 })
  }

  private static func shown(_ name: [UInt8]) -> String {
    ForeignText.line(String(decoding: name, as: UTF8.self))
  }
}

extension TarHeader {
  /// Writes the fields of a header but for its mode, time, target and checksum.
  static func fill(
    _ header: UnsafeMutableRawBufferPointer, _ name: [UInt8], _ type: UInt8, size: Int, owner: Int,
    group: Int
  ) {
    header.copyBytes(from: name.prefix(TarFormat.shortName))
    TarFormat.setOctal(owner, TarFormat.Field.owner.dropLast(), of: header)
    TarFormat.setOctal(group, TarFormat.Field.group.dropLast(), of: header)
    // From 8 GiB on the digits need the place of the zero byte at the end, too.
    let isLarge = size >= 1 << 33
    TarFormat.setOctal(
      size, isLarge ? TarFormat.Field.size : TarFormat.Field.size.dropLast(), of: header)
    header[TarFormat.Field.type] = type
    UnsafeMutableRawBufferPointer(rebasing: header[TarFormat.Field.magic])
      .copyBytes(from: TarFormat.gnuMagic)
  }
}
