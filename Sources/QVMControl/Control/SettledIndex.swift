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
  /// The file's content; empty where there is none.
  private let bytes: [UInt8]
  /// Where the next line begins. Both the file and those who ask are sorted by name.
  private var next: Int
  /// By the place in the list.
  private var lines: [Line?] = []
  /// The stamps of those that are not known, as they were before their files were read.
  private var stamps: [Int: UInt64] = [:]
  private var countOfNew = 0

  /// Reads the index of a cache.
  ///
  /// - Parameter count: How many instances there are.
  init(of cache: Cache, for count: Int) {
    self.cache = cache
    let isUsed = count >= Self.fewest && cache.isOwn
    let read = isUsed ? try? Files.read(Self.path(cache), limit: 1 << 26) : nil
    bytes = read.flatMap { $0.starts(with: Self.header) ? $0 : nil } ?? []
    next = bytes.isEmpty ? 0 : Self.header.count
    if isUsed { lines = Array(repeating: nil, count: count) }
  }

  private static func path(_ cache: Cache) -> String { "\(cache.path)/settled.index" }

  // MARK: - Reading

  /// What is known of an instance and still true; nil where it has to be looked at.
  ///
  /// - Parameters:
  ///   - name: The instance; they are asked for in the order of their names.
  ///   - place: Its place among all.
  ///   - files: Its files.
  /// - Returns: What the list shows of it.
  mutating func summary(
    of name: InstanceName, at place: Int, _ files: InstanceFiles
  ) -> InstanceSummary? {
    guard !lines.isEmpty else { return nil }
    let (stamp, newest) = Self.stamp(files)
    if let line = line(of: name), let summary = Self.read(bytes[line], name.text, stamp),
      !FileLock.isHeld(files.vmLock)
    {
      lines[place] = .known(line)
      var summary = summary
      summary.size = Files.information(files.disk)?.allocated ?? 0
      return summary
    }
    if newest < Timestamp.now.seconds - Self.unsure { stamps[place] = stamp }
    return nil
  }

  /// The line of a name, without its end; those before it are passed.
  private mutating func line(of name: InstanceName) -> Range<Int>? {
    var name = name.text
    return name.withUTF8 { name in
      while next < bytes.count {
        guard let end = bytes[next...].firstIndex(of: 0x0A) else { return nil }
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
  private static func read(
    _ line: ArraySlice<UInt8>, _ name: String, _ stamp: UInt64
  ) -> InstanceSummary? {
    let fields = line.split(separator: 0x09, omittingEmptySubsequences: false)
    guard fields.count == 8, UInt64(text(fields[1]), radix: 16) == stamp,
      let phase = Phase(rawValue: text(fields[6]))
    else { return nil }
    return InstanceSummary(
      name: name, operatingSystem: text(fields[2]), version: text(fields[3]),
      architecture: text(fields[4]), createdAt: text(fields[5]), phase: phase,
      reason: fields[7].isEmpty ? nil : text(fields[7]), size: 0)
  }

  private static func text(_ field: ArraySlice<UInt8>) -> String {
    String(decoding: field, as: UTF8.self)
  }

  // MARK: - Writing

  /// Takes in what was found of an instance whose VM has ended.
  mutating func add(_ found: InstanceSummary, at place: Int, _ files: InstanceFiles) {
    guard !lines.isEmpty, let stamp = stamps[place], Self.stamp(files).stamp == stamp,
      let system = found.operatingSystem, let version = found.version,
      let architecture = found.architecture, let createdAt = found.createdAt
    else { return }
    let fields = [
      found.name, String(stamp, radix: 16), system, version, architecture, createdAt,
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

  /// What tells at a glance that the files are still those that were read, and when the newest of
  /// them was written, in seconds since 1970.
  private static func stamp(_ files: InstanceFiles) -> (stamp: UInt64, newest: Int) {
    var stamp: UInt64 = 0xcbf2_9ce4_8422_2325
    var newest = 0
    for path in [files.record, files.boot, files.outcome] {
      let file = Files.information(path)
      let words: [UInt64] = [
        file.map { UInt64(truncatingIfNeeded: $0.size) } ?? .max,
        file.map { UInt64(truncatingIfNeeded: $0.modifiedExactly) } ?? 0,
        file.map { $0.inode } ?? 0,
      ]
      for word in words {
        stamp = (stamp ^ word) &* 0x100_0000_01b3
        stamp ^= stamp >> 29
      }
      newest = max(newest, file?.modified ?? 0)
    }
    return (stamp, newest)
  }
}
