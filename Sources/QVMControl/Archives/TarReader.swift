package import QMPClient

/// Reads a tar archive from a stream, member by member. It understands the headers of ustar, the long
/// names and binary numbers of GNU tar, the extended headers of pax, and its sparse files of GNU's
/// format 1.0, which FreeBSD's tar makes unasked. After the end of an archive another one may follow.
///
/// ```swift
/// var reader = TarReader(from: pipe, stop: stop)
/// while let member = try reader.next() {
///   try reader.readContents { offset, bytes in … }
/// }
/// ```
///
/// Its calls block: make them on a thread of their own. A raised ``StopSign`` ends them with a
/// `CancellationError`.
package struct TarReader: ~Copyable {
  /// The longest extended header or long name that is read, in bytes.
  static let longestHeader = 1 << 20

  private var input: TarInput
  /// The contents of the current member that have not been read yet, and what pads them.
  private var missing = 0
  private var padding = 0
  /// Whether the contents begin with a map of a sparse file.
  private var isSparse = false
  private var size = 0
  private var global = PaxRecords()
  /// Whether an end was read after the last member.
  private var hasEnded = true

  package init(from input: Descriptor, stop: StopSign) {
    self.input = TarInput(ByteStream(input, stop: stop))
  }

  // MARK: - Members

  /// The next member; nil at the end of the input. What hasn't been read of the one before is passed
  /// over.
  ///
  /// - Throws: ``TarError`` for an archive that is damaged or has no end, `SystemError`,
  ///   `CancellationError`. Nothing more can be read then.
  package mutating func next() throws -> TarMember? {
    try input.take(missing + padding) { _ in }
    (missing, padding) = (0, 0)
    var extended = PaxRecords()
    var longName: [UInt8]?
    var longTarget: [UInt8]?
    while true {
      guard let header = try nextHeader() else {
        let isAlone = longName != nil || longTarget != nil || !extended.isEmpty
        guard hasEnded, !isAlone else { throw TarError.truncated }
        return nil
      }
      switch header.type {
      case TarFormat.MemberType.longName:
        longName = Array(try record(header).prefix { $0 != 0 })
      case TarFormat.MemberType.longTarget:
        longTarget = Array(try record(header).prefix { $0 != 0 })
      case TarFormat.MemberType.extended, TarFormat.MemberType.solarisExtended:
        extended.merge(try PaxRecords(try record(header)))
      case TarFormat.MemberType.global: global.merge(try PaxRecords(try record(header)))
      default:
        var records = global
        records.merge(extended)
        return try begin(header, records, longName, longTarget)
      }
    }
  }

  /// Makes a member of its headers.
  private mutating func begin(
    _ header: TarHeader, _ records: PaxRecords, _ longName: [UInt8]?, _ longTarget: [UInt8]?
  ) throws -> TarMember {
    let name = records.sparseName ?? records.path ?? longName ?? header.name
    let target = records.linkPath ?? longTarget ?? header.target
    let kind: TarMember.Kind =
      switch header.type {
      case TarFormat.MemberType.file, TarFormat.MemberType.oldFile,
        TarFormat.MemberType.contiguous:
        // Before POSIX, a folder was a file whose name ends with a slash.
        name.last == UInt8(ascii: "/") ? .folder : .file
      case TarFormat.MemberType.hardLink: .hardLink(target: target)
      case TarFormat.MemberType.link: .link(target: target)
      case TarFormat.MemberType.folder: .folder
      default: .other(type: header.type)
      }
    // Links, devices, folders and pipes have no contents, whatever their headers say.
    let hasContents = !(UInt8(ascii: "1")...UInt8(ascii: "6") ~= header.type)
    missing = hasContents ? records.size ?? header.size : 0
    padding = TarFormat.padding(missing)
    isSparse = kind == .file && records.isSparse
    size = kind == .file ? (isSparse ? records.sparseSize ?? missing : missing) : 0
    return TarMember(
      name: name, kind: kind, size: size, mode: header.mode,
      modified: records.modified ?? FileTime(seconds: header.modified), owner: header.owner,
      group: header.group)
  }

  /// The next header; nil at the end of the input.
  private mutating func nextHeader() throws -> TarHeader? {
    while true {
      let found = try input.block { block -> TarHeader?? in
        block.allSatisfy { $0 == 0 } ? .some(nil) : .some(try TarHeader(block))
      }
      guard let found else { return nil }
      if let header = found ?? nil {
        hasEnded = false
        return header
      }
      // Empty blocks end an archive, fill it up to some size, and stand before the next one.
      hasEnded = true
    }
  }

  /// The contents of a member that describes the next one.
  private mutating func record(_ header: TarHeader) throws -> [UInt8] {
    guard header.size <= Self.longestHeader else {
      throw TarError.damaged("a header has \(header.size) bytes")
    }
    var bytes: [UInt8] = []
    try input.take(header.size) { bytes.append(contentsOf: $0) }
    try input.take(TarFormat.padding(header.size)) { _ in }
    return bytes
  }

  // MARK: - Contents

  /// Reads the contents of the member that ``next()`` gave last, in parts: each with its offset in
  /// the file. Of a sparse file only the data come, in whatever order its map has them.
  ///
  /// - Throws: As ``next()``, and what the body throws. The next call of ``next()`` goes on after the
  ///   member in the latter case.
  package mutating func readContents(
    _ body: (_ offset: Int, _ bytes: UnsafeRawBufferPointer) throws -> Void
  ) throws {
    if isSparse { return try readSparse(body) }
    try read(missing, from: 0, body)
  }

  private mutating func read(
    _ count: Int, from offset: Int, _ body: (Int, UnsafeRawBufferPointer) throws -> Void
  ) throws {
    var position = offset
    var failure: (any Error)?
    let end = missing - count
    // Counted after each part, so that an error of the body leaves the right number.
    while missing > end, failure == nil {
      let part = min(missing - end, 1 << 18)
      try input.take(part) { bytes in
        defer { position += bytes.count }
        if failure != nil { return }
        do { try body(position, bytes) } catch { failure = error }
      }
      missing -= part
    }
    if let failure { throw failure }
  }

  /// Reads a sparse file: first its map, decimal numbers a line each, then the data of its segments.
  private mutating func readSparse(
    _ body: (Int, UnsafeRawBufferPointer) throws -> Void
  ) throws {
    let damaged = TarError.damaged("a sparse file has no proper map")
    var map: [UInt8] = []
    var numbers: [Int] = []
    var start = 0
    // The number of segments, then the offset and the size of each.
    while numbers.isEmpty || numbers.count < 1 + 2 * numbers[0] {
      guard let end = map[start...].firstIndex(of: UInt8(ascii: "\n")) else {
        guard missing >= TarFormat.block, map.count < Self.longestHeader else { throw damaged }
        try read(TarFormat.block, from: 0) { map.append(contentsOf: $1) }
        continue
      }
      let text = String(decoding: map[start..<end], as: UTF8.self)
      guard let number = Int(text), number >= 0, number <= Int.max / 4 else { throw damaged }
      numbers.append(number)
      if numbers[0] > Self.longestHeader { throw damaged }
      start = end + 1
    }
    for index in 0..<numbers[0] {
      let (offset, count) = (numbers[1 + 2 * index], numbers[2 + 2 * index])
      guard count <= missing, offset + count <= size else { throw damaged }
      try read(count, from: offset, body)
    }
  }
}
