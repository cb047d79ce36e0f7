import QVMControl

/// Columns of text, as wide as their widest cell.
struct Table {
  private var rows: [[String]]

  init(_ titles: [String]) { rows = [titles] }

  /// Adds a row; what others wrote is one line of text in its cell.
  mutating func add(_ cells: [String]) { rows.append(cells.map(ForeignText.line)) }

  /// Leaves columns out until every line fits.
  ///
  /// - Parameters:
  ///   - width: The room for a line, in characters; nil where there is no bound.
  ///   - titles: The columns that may be left out, the first of them first; those that are not there
  ///     are passed over.
  mutating func fit(in width: Int?, leavingOut titles: [String]) {
    guard let width else { return }
    var widths = self.widths
    for title in titles {
      guard widths.reduce(0, +) + 2 * (widths.count - 1) > width else { return }
      guard let column = rows[0].firstIndex(of: title) else { continue }
      widths.remove(at: column)
      for row in rows.indices where column < rows[row].count { rows[row].remove(at: column) }
    }
  }

  /// The width of each column, in characters.
  private var widths: [Int] {
    var widths: [Int] = []
    for row in rows {
      for (column, cell) in row.enumerated() {
        if column == widths.count { widths.append(0) }
        widths[column] = max(widths[column], Self.width(cell))
      }
    }
    return widths
  }

  /// The lines, without spaces at their ends.
  var text: String {
    let widths = self.widths
    var text: [UInt8] = []
    text.reserveCapacity(rows.count * (widths.reduce(0, +) + 2 * widths.count))
    for row in rows {
      let begin = text.count
      for (column, cell) in row.enumerated() {
        text += cell.utf8
        let padding = widths[column] - Self.width(cell) + 2
        text += repeatElement(UInt8(ascii: " "), count: padding)
      }
      while text.count > begin, text.last == UInt8(ascii: " ") { text.removeLast() }
      text.append(UInt8(ascii: "\n"))
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// In characters; of the usual ones, which are a byte each, without looking for their borders.
  private static func width(_ cell: String) -> Int {
    cell.utf8.allSatisfy { $0 < 0x80 } ? cell.utf8.count : cell.count
  }
}
