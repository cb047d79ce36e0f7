/// The records of an extended header that are used: `25 path=a name\n`, each with its own length.
///
/// Source: POSIX.1-2001, pax, "pax Extended Header"; GNU tar's manual, "Sparse Formats".
struct PaxRecords {
  var path: [UInt8]?
  var linkPath: [UInt8]?
  var size: Int?
  var modified: FileTime?
  var sparseName: [UInt8]?
  var sparseSize: Int?
  var isSparse = false
  private(set) var isEmpty = true

  init() {}

  /// - Throws: ``TarError/damaged(_:)`` if the lengths don't fit together, or a number isn't one.
  init(_ bytes: [UInt8]) throws(TarError) {
    isEmpty = false
    var rest = bytes[...]
    while let first = rest.first {
      // Some programs fill the block with zeros and count those.
      if first == 0, rest.allSatisfy({ $0 == 0 }) { return }
      let digits = rest.prefix { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
      guard digits.count < 10, let length = Int(String(decoding: digits, as: UTF8.self)),
        length > digits.count + 2, length <= rest.count
      else { throw Self.damaged }
      let record = rest.prefix(length)
      rest = rest.dropFirst(length)
      let body = record.dropFirst(digits.count + 1).dropLast()
      guard record.last == UInt8(ascii: "\n"), record.dropFirst(digits.count).first == 0x20,
        let equals = body.firstIndex(of: UInt8(ascii: "="))
      else { throw Self.damaged }
      let key = String(decoding: body[..<equals], as: UTF8.self)
      try set(key, Array(body[(equals + 1)...]))
    }
  }

  private static let damaged = TarError.damaged("an extended header is not well-formed")

  private mutating func set(_ key: String, _ value: [UInt8]) throws(TarError) {
    switch key {
    case "path": path = Self.name(value)
    case "linkpath": linkPath = Self.name(value)
    case "size": size = try Self.number(value)
    case "mtime":
      guard let time = Self.time(value) else { throw Self.damaged }
      modified = time
    case "GNU.sparse.major": isSparse = value == Array("1".utf8)
    case "GNU.sparse.name": sparseName = Self.name(value)
    case "GNU.sparse.realsize": sparseSize = try Self.number(value)
    case "GNU.sparse.map", "GNU.sparse.numblocks":
      throw .damaged("it has a sparse file of a format before 1.0; make it without --sparse")
    default: break
    }
  }

  /// What a newer header says counts; the rest stays.
  mutating func merge(_ newer: PaxRecords) {
    path = newer.path ?? path
    linkPath = newer.linkPath ?? linkPath
    size = newer.size ?? size
    modified = newer.modified ?? modified
    sparseName = newer.sparseName ?? sparseName
    sparseSize = newer.sparseSize ?? sparseSize
    isSparse = newer.isSparse || isSparse
    isEmpty = newer.isEmpty && isEmpty
  }

  /// A zero byte would end the name for the system.
  private static func name(_ value: [UInt8]) -> [UInt8]? {
    value.isEmpty ? nil : Array(value.prefix { $0 != 0 })
  }

  private static func number(_ value: [UInt8]) throws(TarError) -> Int {
    guard let number = Int(String(decoding: value, as: UTF8.self)), number >= 0,
      number <= Int.max / 4
    else { throw damaged }
    return number
  }

  /// A decimal number of seconds, with a fraction or without.
  private static func time(_ value: [UInt8]) -> FileTime? {
    let text = String(decoding: value, as: UTF8.self)
    let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard let first = parts.first, let seconds = Int(first), abs(seconds) < 1 << 56 else {
      return nil
    }
    guard parts.count == 2 else { return FileTime(seconds: seconds) }
    let digits = parts[1].prefix(9)
    guard digits.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }) else {
      return nil
    }
    let fraction = Int(digits + String(repeating: "0", count: 9 - digits.count)) ?? 0
    // Before 1970 the fraction goes backwards, too: -0.25 is the second -1 and 0.75 of it.
    guard first.hasPrefix("-"), fraction > 0 else {
      return FileTime(seconds: seconds, nanoseconds: fraction)
    }
    return FileTime(seconds: seconds - 1, nanoseconds: 1_000_000_000 - fraction)
  }
}
