import QVMControl

/// Columns of text, as wide as their widest cell.
struct Table {
  private struct Cell {
    /// Where its bytes end; those of the cell before it end where they begin.
    var end: Int32
    /// In characters.
    var width: Int32
  }

  private let titles: [String]
  /// Of all cells, row by row, one after the other: a list may have ten thousand rows.
  private var content: [UInt8] = []
  private var cells: [Cell] = []
  /// The width of each column, in characters.
  private var widths: [Int]
  /// The places of the columns that are shown.
  private var shown: [Int]

  init(_ titles: [String]) {
    self.titles = titles
    widths = titles.map { _ in 0 }
    shown = Array(titles.indices)
    add(titles)
  }

  /// Adds a row, with a cell for each title; what others wrote is one line of text in its cell.
  mutating func add(_ row: [String]) {
    for column in titles.indices {
      var text = column < row.count ? row[column] : ""
      // Nearly all cells are of plain characters, a byte each.
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
  ///   - width: The room for a line, in characters; nil where there is no bound.
  ///   - titles: The columns that may be left out, the first of them first; those that are not there
  ///     are passed over.
  mutating func fit(in width: Int?, leavingOut titles: [String]) {
    guard let width else { return }
    for title in titles {
      guard lineWidth - 2 > width else { return }
      shown.removeAll { self.titles[$0] == title }
    }
  }

  /// What a line takes with the space behind each of its columns, in characters.
  private var lineWidth: Int { shown.reduce(0) { $0 + widths[$1] + 2 } }

  /// The lines, without spaces at their ends.
  var text: String { String(decoding: bytes, as: UTF8.self) }

  /// The same, harmless for a terminal as it is.
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
