internal import QMPClient

/// The summaries of instances whose VMs have ended. With it, a list of thousands need not read three
/// files of each instance.
///
/// An entry is valid as long as the stamp of the instance's folder is the same and no process holds
/// the lock. Each record that qvm writes changes the stamp; the lock is tested each time. If a user
/// edits a record in place, only `status` shows the change until the folder changes. `list` rewrites
/// the index if much of it is out of date. The file may be removed at any time.
struct SettledIndex {
  /// Fewer instances are read as fast without an index.
  private static let fewest = 64
  /// The index is rewritten if more than one instance in this many is not in it.
  private static let share = 64
  /// Within this time, in seconds, a folder may change twice and keep its stamp.
  private static let unsure = 2
  private static let header = Array("qvm settled instances 2\n".utf8)

  private enum Line {
    case known(Range<Int>)
    case new([UInt8])
  }

  private let cache: Cache
  /// The folder of the instances; nil if they are too few for an index.
  private let folder: OpenFolder?
  /// One glance for each instance.
  private let glances: [InstanceGlance]
  /// The file's content; empty if there is no file.
  private let bytes: [UInt8]
  /// Where the next line begins. The file is sorted by name, and so are the requests.
  private var next: Int
  /// One for each place in the list.
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
    // A line is a name, a number and some short fields.
    let limit = Self.header.count + 512 * names.count
    let read = folder != nil ? try? Files.read(Self.path(cache), limit: limit) : nil
    bytes = read.flatMap { $0.starts(with: Self.header) ? $0 : nil } ?? []
    next = bytes.isEmpty ? 0 : Self.header.count
    if folder != nil { lines = Array(repeating: nil, count: names.count) }
  }

  private static func path(_ cache: Cache) -> String { "\(cache.path)/settled.index" }

  // MARK: - Reading

  /// Whether the index has a valid entry for an instance; if not, the instance must be inspected.
  ///
  /// - Parameters:
  ///   - name: The instance; call this in the order of the names.
  ///   - place: Its place among all.
  /// - Returns: Whether it has; then ``summary(of:at:)`` returns the entry.
  mutating func knows(_ name: InstanceName, at place: Int) -> Bool {
    guard !glances.isEmpty, let line = line(of: name), !glances[place].isLocked,
      stamp(in: line, name.text.utf8.count) == glances[place].stamp
    else { return false }
    lines[place] = .known(line)
    return true
  }

  /// The entry of an instance, after ``knows(_:at:)``; nil if there is none, or it is damaged.
  mutating func summary(of name: InstanceName, at place: Int) -> InstanceSummary? {
    guard !lines.isEmpty, case .known(let line) = lines[place] else { return nil }
    guard let summary = read(line, name.text, size: glances[place].size) else {
      lines[place] = nil
      return nil
    }
    return summary
  }

  /// The line of a name, without its newline; lines before it are skipped.
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
      // The line is a later name's, so this name has none.
      if name.lexicographicallyPrecedes(own) { return (nil, begin) }
      begin = end + 1
    }
    return (nil, bytes.count)
  }

  /// The second field of a line, after a name of `lengthOfName` bytes.
  private func stamp(in line: Range<Int>, _ lengthOfName: Int) -> UInt64? {
    bytes.withUnsafeBufferPointer { bytes in
      let digits = bytes[line].dropFirst(lengthOfName + 1).prefix { $0 != 0x09 }
      return UInt64(String(decoding: digits, as: UTF8.self), radix: 16)
    }
  }

  /// Reads a line: the name, the stamp, and the fields of the summary.
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

  /// Adds the summary of an instance whose VM has ended.
  mutating func add(_ found: InstanceSummary, at place: Int) {
    // The stamp must be the same before and after the files were read.
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

  /// Rewrites the index if enough of it is new. If that fails, the next list only takes longer.
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
