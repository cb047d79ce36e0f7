/// Text that somebody else wrote, made harmless for a terminal and for who reads it there: a guest,
/// who answers at a socket, QEMU, curl, a release's listing, a file that may be damaged.
///
/// What has no shape of its own, or changes that of its neighbours, is written out as its number,
/// such as `\u{1b}`, so that it neither acts nor gets lost:
///
/// * control characters: those of ASCII, Delete, and U+0080 to U+009F, which a terminal obeys too;
/// * separators of lines and paragraphs (U+2028, U+2029);
/// * invisible formatting, of which the overrides of the writing direction make a text read as
///   another one. The soft hyphen and the two joiners (U+200C, U+200D) stay: words, scripts and
///   emoji need them.
///
/// Bytes that are no UTF-8 have become U+FFFD before: a `String` can't hold them.
package enum ForeignText {
  /// The most characters that are kept of a line.
  package static let longestLine = 1000
  /// The most lines that are kept.
  package static let mostLines = 100

  /// One line: line ends and tabs are written out too, and what is too long is cut.
  ///
  /// For a cell of a table, and for a part of a sentence.
  package static func line(_ text: String) -> String {
    let text = cut(text)
    return isPlain(text, lines: false) ? text : spelled(text, keeping: [])
  }

  /// A text of several lines: line ends and tabs stay.
  ///
  /// For the last step before a terminal, after qvm's own sentences have been put together.
  package static func lines(_ text: String) -> String {
    isPlain(text, lines: true) ? text : spelled(text, keeping: ["\n", "\t"])
  }

  /// A message of several lines, of which there are not too many, none too long.
  package static func message(_ text: String) -> String {
    let all = text.split(separator: "\n", maxSplits: mostLines, omittingEmptySubsequences: false)
    let kept = all.prefix(mostLines).map { lines(cut(String($0))) }
    return (all.count > mostLines ? kept + ["…"] : kept).joined(separator: "\n")
  }

  private static func cut(_ text: String) -> String {
    // Characters are counted only where there may be too many.
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

  /// Whether ``line(_:)`` leaves a text of these bytes as it is, and each of them is a character.
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

  /// Whether a character may be shown as it is.
  static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
    if 0x20..<0x7F ~= scalar.value { return true }
    switch scalar.properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: return false
    case .format: return [0xAD, 0x200C, 0x200D].contains(scalar.value)
    default: return true
    }
  }
}
