import QVMControl

/// Columns of text, as wide as their widest cell.
struct Table {
  private var rows: [[String]]

  init(_ titles: [String]) { rows = [titles] }

  /// Adds a row; what others wrote is one line of text in its cell.
  mutating func add(_ cells: [String]) { rows.append(cells.map(ForeignText.line)) }

  /// The lines, without spaces at their ends.
  var text: String {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in
      rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
    }
    return rows.map { row in
      var line = ""
      for (column, cell) in row.enumerated() {
        line += cell
        if column < row.count - 1 {
          line += String(repeating: " ", count: widths[column] - cell.count + 2)
        }
      }
      while line.hasSuffix(" ") { line.removeLast() }
      return line + "\n"
    }.joined()
  }
}
