/// Removes from a QMP message what differs between two recordings of the same conversation or is
/// private: times, process ids, and the folders of paths.
///
/// Works on bytes: all else stays as QEMU wrote it, even if it isn't JSON.
struct Scrubber {
  private static let numbers: Set<[UInt8]> = Set(
    ["seconds", "microseconds", "pid", "thread-id"].map { Array($0.utf8) })
  /// First parts of absolute names that are not the user's files: QEMU's object tree, and devices.
  private static let publicRoots: Set<[UInt8]> = Set(
    ["machine", "objects", "chardevs", "dev", "proc", "sys"].map { Array($0.utf8) })
  private static let folder = Array("/scrubbed/".utf8)

  private let line: [UInt8]
  private var offset = 0
  private var key: [UInt8] = []
  private var output: [UInt8] = []

  private init(_ line: [UInt8]) {
    self.line = line
    output.reserveCapacity(line.count)
  }

  /// The message with its times and process ids set to 0. Of each path the last part remains, in
  /// `/scrubbed/`.
  static func scrub(_ line: [UInt8]) -> [UInt8] {
    var scrubber = Scrubber(line)
    scrubber.run()
    return scrubber.output
  }

  private mutating func run() {
    while offset < line.count {
      switch line[offset] {
      case UInt8(ascii: "\""): string()
      case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): number()
      default:
        output.append(line[offset])
        offset += 1
      }
    }
  }

  private mutating func number() {
    let start = offset
    while offset < line.count, Self.isPartOfNumber(line[offset]) { offset += 1 }
    if Self.numbers.contains(key) {
      output.append(UInt8(ascii: "0"))
    } else {
      output.append(contentsOf: line[start..<offset])
    }
  }

  private static func isPartOfNumber(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"),
      UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"):
      true
    default: false
    }
  }

  private mutating func string() {
    let start = offset + 1
    var end = start
    while end < line.count, line[end] != UInt8(ascii: "\"") {
      end += line[end] == UInt8(ascii: "\\") ? 2 : 1
    }
    end = min(end, line.count)
    offset = min(end + 1, line.count)
    var next = offset
    while next < line.count, line[next] == UInt8(ascii: " ") { next += 1 }
    output.append(UInt8(ascii: "\""))
    if next < line.count, line[next] == UInt8(ascii: ":") {
      key = Array(line[start..<end])
      output.append(contentsOf: key)
    } else {
      text(line[start..<end])
    }
    if end < line.count { output.append(UInt8(ascii: "\"")) }
  }

  /// Copies a string, and scrubs the paths in it.
  private mutating func text(_ text: ArraySlice<UInt8>) {
    var index = text.startIndex
    while index < text.endIndex {
      let begins = index == text.startIndex || Self.endsWord(text[index - 1])
      guard begins, text[index] == UInt8(ascii: "/") else {
        output.append(text[index])
        index += 1
        continue
      }
      // If the whole string is a path, it may contain spaces.
      var end = text.endIndex
      if index > text.startIndex || text.contains(where: { $0 == UInt8(ascii: ",") }) {
        end = text[index...].firstIndex(where: Self.endsPath) ?? text.endIndex
      }
      path(text[index..<end])
      index = end
    }
  }

  private static func endsWord(_ byte: UInt8) -> Bool {
    " '\":=,(<[".utf8.contains(byte)
  }

  private static func endsPath(_ byte: UInt8) -> Bool {
    " '\"\\,;)>]".utf8.contains(byte)
  }

  private mutating func path(_ path: ArraySlice<UInt8>) {
    let parts = path.split(separator: UInt8(ascii: "/"))
    guard let first = parts.first, let last = parts.last,
      !Self.publicRoots.contains(Array(first))
    else {
      output.append(contentsOf: path)
      return
    }
    output.append(contentsOf: Self.folder)
    output.append(contentsOf: last)
  }
}
