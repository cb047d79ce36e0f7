/// What a guest wrote to its console, for being shown among qvm's own lines: without what moves the
/// cursor, clears the screen or resets the terminal of whoever reads it.
enum ConsoleText {
  /// The most characters of a line that are kept.
  private static let longestLine = 400

  private enum State { case text, escape, sequence, string, stringEscape }

  /// The lines that one would read there, without those that are empty.
  static func lines(_ bytes: [UInt8]) -> [String] {
    var lines: [String] = []
    var line: [Unicode.Scalar] = []
    var state = State.text
    var hasReturned = false
    func finish() {
      var text = String.UnicodeScalarView()
      text.append(contentsOf: line.prefix(longestLine))
      if !line.allSatisfy(\.properties.isWhitespace) { lines.append(String(text)) }
      line = []
      hasReturned = false
    }
    for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
      switch (state, scalar) {
      case (_, "\u{1B}"): state = state == .string ? .stringEscape : .escape
      case (.escape, "["): state = .sequence
      // Titles and the like, up to a bell or ESC \.
      case (.escape, "]"), (.escape, "P"), (.escape, "^"), (.escape, "_"): state = .string
      case (.escape, " "..."/"): break
      case (.escape, _), (.stringEscape, _), (.string, "\u{7}"): state = .text
      case (.string, _): break
      case (.sequence, "@"..."~"): state = .text
      case (.sequence, _): break
      case (.text, "\n"): finish()
      case (.text, "\r"): hasReturned = true
      case (.text, "\u{8}"): if !line.isEmpty { line.removeLast() }
      default:
        guard scalar == "\t" || scalar.properties.generalCategory != .control else { break }
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
