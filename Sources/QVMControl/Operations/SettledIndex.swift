internal import QMPClient

/// What was found of instances whose VMs have ended, so that a list of thousands doesn't read three
/// files of each again.
///
/// An entry counts while the stamp of the instance's folder is the same, which each record that qvm
/// writes changes, and nobody holds the lock, which is asked each time. What somebody writes into a
/// record by hand, without putting another file in its place, is seen by `status` alone, until that
/// folder changes. Whoever lists writes the index anew when much of it is out of date; it may be
/// removed at any time.
struct SettledIndex {
  /// Fewer are read as quickly without.
  private static let fewest = 64
  /// It is written when more than one in so many are not in it.
  private static let share = 64
  /// A folder may change twice in the time that its stamp can't tell apart, in seconds.
  private static let unsure = 2
  private static let header = Array("qvm settled instances 2\n".utf8)

  private enum Line {
    case known(Range<Int>)
    case new([UInt8])
  }

  private let cache: Cache
  /// Where the instances are; nil where they are too few for this.
  private let folder: OpenFolder?
  /// What was seen of each.
  private let glances: [InstanceGlance]
  /// The file's content; empty where there is none.
  private let bytes: [UInt8]
  /// Where the next line begins. Both the file and those who ask are sorted by name.
  private var next: Int
  /// By the place in the list.
  private var lines: [Line?] = []
  private var countOfNew = 0

  /// Reads the index of a cache.
  ///
  /// - Parameters:
  ///   - cache: The cache.
  ///   - names: All instances in it.
  init(of cache: Cache, for names: [InstanceName]) {
    self.cache = cache
    folder = names.count >= Self.fewest && cache.isOwn ? OpenFolder(cache.instances) : nil
    glances = folder == nil ? [] : InstanceGlance.all(of: names, in: cache.instances)
    // A line is a name, a number and some words.
    let limit = Self.header.count + 512 * names.count
    let read = folder != nil ? try? Files.read(Self.path(cache), limit: limit) : nil
    bytes = read.flatMap { $0.starts(with: Self.header) ? $0 : nil } ?? []
    next = bytes.isEmpty ? 0 : Self.header.count
    if folder != nil { lines = Array(repeating: nil, count: names.count) }
  }

  private static func path(_ cache: Cache) -> String { "\(cache.path)/settled.index" }

  // MARK: - Reading

  /// Whether something is known of an instance that is still true; else it has to be looked at.
  ///
  /// - Parameters:
  ///   - name: The instance; they are asked for in the order of their names.
  ///   - place: Its place among all.
  /// - Returns: Whether it is; then ``summary(of:at:)`` tells it.
  mutating func knows(_ name: InstanceName, at place: Int) -> Bool {
    guard !glances.isEmpty, let line = line(of: name), !glances[place].isLocked,
      stamp(in: line, name.text.utf8.count) == glances[place].stamp
    else { return false }
    lines[place] = .known(line)
    return true
  }

  /// What the list shows of an instance, after ``knows(_:at:)``; nil also where what is known turns
  /// out to be damaged.
  mutating func summary(of name: InstanceName, at place: Int) -> InstanceSummary? {
    guard !lines.isEmpty, case .known(let line) = lines[place] else { return nil }
    guard let summary = read(line, name.text, size: glances[place].size) else {
      lines[place] = nil
      return nil
    }
    return summary
  }

  /// The line of a name, without its end; those before it are passed.
  private mutating func line(of name: InstanceName) -> Range<Int>? {
    var name = name.text
    let found = name.withUTF8 { name in
      bytes.withUnsafeBufferPointer { Self.line(of: name, in: $0, from: next) }
    }
    next = found.next
    return found.line
  }

  private static func line(
    of name: UnsafeBufferPointer<UInt8>, in bytes: UnsafeBufferPointer<UInt8>, from begin: Int
  ) -> (line: Range<Int>?, next: Int) {
    var begin = begin
    while let end = bytes[begin...].firstIndex(of: 0x0A) {
      let own = bytes[begin..<end].prefix { $0 != 0x09 }
      if name.elementsEqual(own) { return (begin..<end, end + 1) }
      // A later one's: the name that was asked for is not in it.
      if name.lexicographicallyPrecedes(own) { return (nil, begin) }
      begin = end + 1
    }
    return (nil, bytes.count)
  }

  /// The second field of a line, behind a name of so many bytes.
  private func stamp(in line: Range<Int>, _ lengthOfName: Int) -> UInt64? {
    bytes.withUnsafeBufferPointer { bytes in
      let digits = bytes[line].dropFirst(lengthOfName + 1).prefix { $0 != 0x09 }
      return UInt64(String(decoding: digits, as: UTF8.self), radix: 16)
    }
  }

  /// Reads a line: the name, the stamp, and what is shown.
  private func read(_ line: Range<Int>, _ name: String, size: Int) -> InstanceSummary? {
    bytes.withUnsafeBufferPointer { bytes in
      var rest = bytes[line]
      func field() -> String {
        let end = rest.firstIndex(of: 0x09) ?? rest.endIndex
        defer { rest = rest[min(end + 1, rest.endIndex)...] }
        return String(decoding: rest[..<end], as: UTF8.self)
      }
      // The name and the stamp.
      for _ in 0..<2 { _ = field() }
      let (system, version, architecture, createdAt) = (field(), field(), field(), field())
      guard let phase = Phase(rawValue: field()), !phase.isAlive else { return nil }
      let reason = field()
      guard !createdAt.isEmpty, rest.isEmpty else { return nil }
      return InstanceSummary(
        name: name, operatingSystem: system, version: version, architecture: architecture,
        createdAt: createdAt, phase: phase, reason: reason.isEmpty ? nil : reason, size: size)
    }
  }

  // MARK: - Writing

  /// Takes in what was found of an instance whose VM has ended.
  mutating func add(_ found: InstanceSummary, at place: Int) {
    // As it was before its files were read, and after.
    guard let folder, !glances.isEmpty,
      InstanceGlance(of: found.name, in: folder).stamp == glances[place].stamp,
      glances[place].changed < Timestamp.now.seconds - Self.unsure,
      let system = found.operatingSystem, let version = found.version,
      let architecture = found.architecture, let createdAt = found.createdAt
    else { return }
    let fields = [
      found.name, String(glances[place].stamp, radix: 16), system, version, architecture, createdAt,
      found.phase.rawValue, found.reason ?? "",
    ]
    guard fields.allSatisfy({ $0.utf8.allSatisfy { $0 >= 0x20 } }) else { return }
    lines[place] = .new(Array(fields.joined(separator: "\t").utf8))
    countOfNew += 1
  }

  /// Writes it anew where that is worth while. Where it can't be written the next list takes longer.
  func write() {
    guard countOfNew * Self.share > lines.count else { return }
    var new = Self.header
    new.reserveCapacity(bytes.count + countOfNew * 128)
    for line in lines {
      switch line {
      case .known(let range): new += bytes[range]
      case .new(let bytes): new += bytes
      case nil: continue
      }
      new.append(0x0A)
    }
    try? Files.write(new, to: Self.path(cache), isLasting: false)
  }
}
