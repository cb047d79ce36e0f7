/// Puts a tag before each line of one stream of a guest.
///
/// For a terminal the lines are text alone (``PlainConsole``), of which nothing overwrites the tag: of a
/// line that was written over itself the last state counts. For a pipe or a file the bytes are unchanged
/// but for the tags.
package struct LineTagger: Sendable {
  /// A longer line is divided, so that it needn't be kept in memory.
  static let longestLine = 1 << 16

  private let tag: [UInt8]
  private let isTerminal: Bool
  private var plain = PlainConsole()
  private var line: [UInt8] = []

  package init(tag: String, isTerminal: Bool) {
    self.tag = Array(tag.utf8)
    self.isTerminal = isTerminal
  }

  /// Takes the next bytes. Returns the lines that are complete now, with their tags and ends.
  package mutating func read(_ bytes: [UInt8]) -> [UInt8] {
    var output: [UInt8] = []
    var rest = (isTerminal ? plain.read(bytes) : bytes)[...]
    while let end = rest.firstIndex(of: 0x0A) {
      line += rest[..<end]
      rest = rest[(end + 1)...]
      output += takeLine()
    }
    line += rest
    if line.count >= Self.longestLine { output += takeLine() }
    return output
  }

  /// The last line if it has no end; nothing otherwise.
  package mutating func finish() -> [UInt8] { line.isEmpty ? [] : takeLine() }

  private mutating func takeLine() -> [UInt8] {
    defer { line.removeAll(keepingCapacity: true) }
    var text = line[...]
    if isTerminal {
      while text.last == 0x0D { text.removeLast() }
      if let last = text.lastIndex(of: 0x0D) { text = text[(last + 1)...] }
      text.removeAll { $0 == 0x08 }
    }
    return tag + text + [0x0A]
  }
}
