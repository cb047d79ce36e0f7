internal import QMPClient

/// What was found of instances whose VMs have ended, so that a list of thousands doesn't read three
/// files of each again.
///
/// An entry counts while the stamps of those files are the same, and nobody holds the lock, which is
/// asked each time. Whoever lists writes it anew when much of it is out of date; it may be removed at
/// any time.
struct SettledIndex {
  /// Fewer are read as quickly without.
  private static let fewest = 64
  /// It is written when more than one in so many are not in it.
  private static let share = 64
  /// A file may be replaced twice in the time that its stamp can't tell apart, in seconds.
  private static let unsure = 2
  private static let header = Array("qvm settled instances 1\n".utf8)

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

  /// What is known of an instance and still true; nil where it has to be looked at.
  ///
  /// - Parameters:
  ///   - name: The instance; they are asked for in the order of their names.
  ///   - place: Its place among all.
  /// - Returns: What the list shows of it.
  mutating func summary(of name: InstanceName, at place: Int) -> InstanceSummary? {
    guard !glances.isEmpty, let line = line(of: name), !glances[place].isLocked,
      var summary = read(line, name.text, glances[place].stamp)
    else { return nil }
    lines[place] = .known(line)
    summary.size = glances[place].size
    return summary
  }

  /// The line of a name, without its end; those before it are passed.
  private mutating func line(of name: InstanceName) -> Range<Int>? {
    var name = name.text
    return name.withUTF8 { name in
      while next < bytes.count {
        guard let end = bytes[next...].firstIndex(of: 0x0A) else {
          next = bytes.count
          return nil
        }
        let tab = bytes[next..<end].firstIndex(of: 0x09) ?? end
        let own = bytes[next..<tab]
        if name.elementsEqual(own) {
          defer { next = end + 1 }
          return next..<end
        }
        // A later one's: the name that was asked for is not in it.
        if name.lexicographicallyPrecedes(own) { return nil }
        next = end + 1
      }
      return nil
    }
  }

  /// Reads a line: the name, the stamp, and what is shown.
  private func read(_ line: Range<Int>, _ name: String, _ stamp: UInt64) -> InstanceSummary? {
    bytes.withUnsafeBufferPointer { bytes in
      var rest = bytes[line]
      func field() -> String {
        let end = rest.firstIndex(of: 0x09) ?? rest.endIndex
        defer { rest = rest[min(end + 1, rest.endIndex)...] }
        return String(decoding: rest[..<end], as: UTF8.self)
      }
      _ = field()
      guard UInt64(field(), radix: 16) == stamp else { return nil }
      let (system, version, architecture, createdAt) = (field(), field(), field(), field())
      guard let phase = Phase(rawValue: field()), !phase.isAlive else { return nil }
      let reason = field()
      guard !createdAt.isEmpty, rest.isEmpty else { return nil }
      return InstanceSummary(
        name: name, operatingSystem: system, version: version, architecture: architecture,
        createdAt: createdAt, phase: phase, reason: reason.isEmpty ? nil : reason, size: 0)
    }
  }

  // MARK: - Writing

  /// Takes in what was found of an instance whose VM has ended.
  mutating func add(_ found: InstanceSummary, at place: Int) {
    // As it was before its files were read, and after.
    guard let folder, !glances.isEmpty,
      InstanceGlance(of: found.name, in: folder).stamp == glances[place].stamp,
      glances[place].newest < Timestamp.now.seconds - Self.unsure,
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
