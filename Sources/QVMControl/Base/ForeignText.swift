/// Makes text from outside harmless for a terminal and its reader. Such text comes from a guest,
/// from a peer at a socket, from QEMU and curl, from a release's listing, or from a file that may
/// be damaged.
///
/// Characters without a visible shape, and those that change how their neighbours are shown, are
/// written as their number, such as `\u{1b}`. So they have no effect, and don't get lost:
///
/// * control characters: those of ASCII, Delete, and U+0080 to U+009F, which a terminal obeys too;
/// * separators of lines and paragraphs (U+2028, U+2029);
/// * invisible formatting. Overrides of the writing direction make a text read as another one. The
///   soft hyphen and the two joiners (U+200C, U+200D) stay, because words, scripts and emoji need
///   them.
///
/// Invalid UTF-8 has become U+FFFD before, because a `String` can't hold it.
package enum ForeignText {
  /// How many characters of a line are kept at most.
  package static let longestLine = 1000
  /// How many lines are kept at most.
  package static let mostLines = 100

  /// One line: line ends and tabs are escaped too, and a long text is truncated.
  ///
  /// For a table cell or a part of a sentence.
  package static func line(_ text: String) -> String {
    let text = cut(text)
    return isPlain(text, lines: false) ? text : spelled(text, keeping: [])
  }

  /// Text of several lines: line ends and tabs stay.
  ///
  /// The last step before text is written to a terminal.
  package static func lines(_ text: String) -> String {
    isPlain(text, lines: true) ? text : spelled(text, keeping: ["\n", "\t"])
  }

  /// A message of several lines, with limits for their number and length.
  package static func message(_ text: String) -> String {
    let all = text.split(separator: "\n", maxSplits: mostLines, omittingEmptySubsequences: false)
    let kept = all.prefix(mostLines).map { lines(cut(String($0))) }
    return (all.count > mostLines ? kept + ["…"] : kept).joined(separator: "\n")
  }

  private static func cut(_ text: String) -> String {
    // Counts characters only if there may be too many.
    if text.utf8.count <= longestLine { return text }
    let scalars = text.unicodeScalars
    guard
      let end = scalars.index(
        scalars.startIndex, offsetBy: longestLine, limitedBy: scalars.endIndex),
      end < scalars.endIndex
    else { return text }
    return String(scalars[..<end]) + "…"
  }

  private static func isPlain(_ text: String, lines: Bool) -> Bool {
    var text = text
    return text.withUTF8 { bytes in
      bytes.allSatisfy { 0x20..<0x7F ~= $0 || lines && ($0 == 0x0A || $0 == 0x09) }
    }
  }

  /// Whether ``line(_:)`` leaves text of these bytes unchanged, and each byte is one character.
  package static func isPlainLine(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    bytes.count <= longestLine && bytes.allSatisfy { 0x20..<0x7F ~= $0 }
  }

  private static func spelled(_ text: String, keeping kept: [Unicode.Scalar]) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      if isHarmless(scalar) || kept.contains(scalar) {
        result.append(scalar)
        continue
      }
      switch scalar {
      case "\n": result.append(contentsOf: #"\n"#.unicodeScalars)
      case "\r": result.append(contentsOf: #"\r"#.unicodeScalars)
      case "\t": result.append(contentsOf: #"\t"#.unicodeScalars)
      default:
        let number = String(scalar.value, radix: 16)
        result.append(contentsOf: "\\u{\(number)}".unicodeScalars)
      }
    }
    return String(result)
  }

  /// Whether a character may be shown unchanged.
  static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
    if 0x20..<0x7F ~= scalar.value { return true }
    switch scalar.properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: return false
    case .format: return [0xAD, 0x200C, 0x200D].contains(scalar.value)
    default: return true
    }
  }
}
