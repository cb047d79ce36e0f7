import QVMControl

/// Columns of text, as wide as their widest cell.
struct Table {
  private struct Cell {
    /// The index where its bytes end. They begin where those of the cell before end.
    var end: Int32
    /// In characters.
    var width: Int32
  }

  private let titles: [String]
  /// The bytes of all cells, row by row, in one array: a list may have ten thousand rows.
  private var content: [UInt8] = []
  private var cells: [Cell] = []
  /// The width of each column, in characters.
  private var widths: [Int]
  /// The indices of the columns that are shown.
  private var shown: [Int]

  init(_ titles: [String]) {
    self.titles = titles
    widths = titles.map { _ in 0 }
    shown = Array(titles.indices)
    add(titles)
  }

  /// Adds a row, with a cell for each title. Text from other sources becomes one harmless line.
  mutating func add(_ row: [String]) {
    for column in titles.indices {
      var text = column < row.count ? row[column] : ""
      // Nearly all cells have only plain characters of one byte each.
      let bytes = text.withUTF8 { bytes -> Int? in
        guard ForeignText.isPlainLine(bytes) else { return nil }
        content.append(contentsOf: bytes)
        return bytes.count
      }
      let width: Int
      if let bytes {
        width = bytes
      } else {
        let line = ForeignText.line(text)
        content.append(contentsOf: line.utf8)
        width = line.count
      }
      cells.append(Cell(end: Int32(content.count), width: Int32(width)))
      widths[column] = max(widths[column], width)
    }
  }

  /// Leaves columns out until every line fits.
  ///
  /// - Parameters:
  ///   - width: The longest line, in characters; nil for no limit.
  ///   - titles: The columns that may be left out, in this order. Titles without a column are ignored.
  mutating func fit(in width: Int?, leavingOut titles: [String]) {
    guard let width else { return }
    for title in titles {
      guard lineWidth - 2 > width else { return }
      shown.removeAll { self.titles[$0] == title }
    }
  }

  /// The width of a line, with the space behind each column, in characters.
  private var lineWidth: Int { shown.reduce(0) { $0 + widths[$1] + 2 } }

  /// The lines, without spaces at their ends.
  var text: String { String(decoding: bytes, as: UTF8.self) }

  /// The same as bytes, which are harmless for a terminal.
  var bytes: [UInt8] {
    let spaces = [UInt8](repeating: UInt8(ascii: " "), count: (widths.max() ?? 0) + 2)
    var text: [UInt8] = []
    text.reserveCapacity(content.count + cells.count / max(1, titles.count) * lineWidth)
    for row in stride(from: 0, to: cells.count, by: max(1, titles.count)) {
      let begin = text.count
      for column in shown {
        let cell = row + column
        let start = cell == 0 ? 0 : Int(cells[cell - 1].end)
        text += content[start..<Int(cells[cell].end)]
        text += spaces[..<(widths[column] - Int(cells[cell].width) + 2)]
      }
      while text.count > begin, text.last == UInt8(ascii: " ") { text.removeLast() }
      text.append(UInt8(ascii: "\n"))
    }
    return text
  }
}
