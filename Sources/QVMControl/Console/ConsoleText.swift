/// Lines of a guest's console, to be shown among qvm's own. Sequences that move the cursor, clear
/// the screen or reset the terminal are removed.
enum ConsoleText {
  /// How many characters of a line are kept at most.
  private static let longestLine = 400

  /// The lines as a person would read them, without blank ones.
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
        // The line is overwritten, as progress displays do.
        if hasReturned { line = [] }
        hasReturned = false
        line.append(scalar)
      }
    }
    finish()
    return lines
  }
}
