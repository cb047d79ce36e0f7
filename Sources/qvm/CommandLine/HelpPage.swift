/// A help page, laid out for 80 columns.
struct HelpPage {
  private static let width = 80
  private static let indentation = 2
  /// The space between the two columns.
  private static let gap = 2
  /// A longer term gets a line of its own, with its text below.
  private static let longestTerm = 24

  private var lines: [String] = []

  var text: String { lines.joined(separator: "\n") + "\n" }

  /// Adds paragraphs, with an empty line before.
  ///
  /// The lines of a paragraph are filled to the width. A line that begins with a space is kept unchanged.
  /// An empty line ends a paragraph.
  mutating func add(paragraphs: String) {
    separate()
    var words: [Substring] = []
    for line in paragraphs.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.isEmpty || line.first == " " {
        lines += Self.filled(words, width: Self.width)
        lines.append(String(line))
        words = []
      } else {
        words += line.split(separator: " ")
      }
    }
    lines += Self.filled(words, width: Self.width)
  }

  /// Adds a section, with an empty line before. A section without rows is left out.
  mutating func add(_ section: HelpSection) {
    guard !section.rows.isEmpty else { return }
    separate()
    lines.append("\(section.title):")
    let terms = section.rows.filter { !$0.text.isEmpty }.map(\.term.count)
    let column = terms.filter { $0 <= Self.longestTerm }.max() ?? Self.longestTerm
    for row in section.rows { add(row, column: column) }
  }

  private mutating func add(_ row: HelpRow, column: Int) {
    let indent = String(repeating: " ", count: Self.indentation)
    let hanging = String(repeating: " ", count: Self.indentation + column + Self.gap)
    var texts = Self.filled(row.text.split(separator: " "), width: Self.width - hanging.count)[...]
    if row.term.count <= column, let first = texts.popFirst() {
      let space = String(repeating: " ", count: column - row.term.count + Self.gap)
      lines.append(indent + row.term + space + first)
    } else {
      lines.append(indent + row.term)
    }
    lines += texts.map { hanging + $0 }
  }

  private mutating func separate() {
    if !lines.isEmpty { lines.append("") }
  }

  /// As many words per line as fit. A word that is longer than a line gets a line of its own.
  private static func filled(_ words: [Substring], width: Int) -> [String] {
    var lines: [String] = []
    for word in words {
      if let last = lines.last, last.count + 1 + word.count <= width {
        lines[lines.endIndex - 1] += " " + word
      } else {
        lines.append(String(word))
      }
    }
    return lines
  }
}
