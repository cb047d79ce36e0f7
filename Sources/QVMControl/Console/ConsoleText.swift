/// What a guest wrote to its console, in lines, for being shown among qvm's own: without what moves
/// the cursor, clears the screen or resets the terminal of whoever reads it.
enum ConsoleText {
  /// The most characters of a line that are kept.
  private static let longestLine = 400

  /// The lines that one would read there, without those that are empty.
  static func lines(_ bytes: [UInt8]) -> [String] {
    var lines: [String] = []
    var line: [Unicode.Scalar] = []
    var hasReturned = false
    func finish() {
      var text = String.UnicodeScalarView()
      text.append(contentsOf: line.prefix(longestLine))
      if !line.allSatisfy(\.properties.isWhitespace) { lines.append(String(text)) }
      line = []
      hasReturned = false
    }
    var plain = PlainConsole()
    for scalar in String(decoding: plain.read(bytes), as: UTF8.self).unicodeScalars {
      switch scalar {
      case "\n": finish()
      case "\r": hasReturned = true
      case "\u{8}": if !line.isEmpty { line.removeLast() }
      default:
        // Written over, as progress is.
        if hasReturned { line = [] }
        hasReturned = false
        line.append(scalar)
      }
    }
    finish()
    return lines
  }
}
