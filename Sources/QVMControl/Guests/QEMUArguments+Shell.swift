extension QEMUArguments {
  /// The command for a POSIX shell, an option a line as specification §7 shows it, with a newline
  /// at the end. Pasted into a shell it gives the very same words.
  ///
  /// The word at `index`, the first that is not the driver's, begins a line even where it is no
  /// option; nil where all are the driver's.
  package func shellText(ownFrom index: Int? = nil) -> String {
    shellLines(words.indices, own: index).joined(separator: " \\\n") + "\n"
  }

  /// The number of the line in `shellText(ownFrom: index)` on which the word at `index` begins,
  /// counted from 1.
  package func shellLine(ofOwnFrom index: Int) -> Int {
    let above = shellLines(0..<min(index, words.count), own: nil)
    // A word may have newlines of its own.
    return above.reduce(1) { $0 + 1 + $1.utf8.count { $0 == UInt8(ascii: "\n") } }
  }

  private func shellLines(_ range: Range<Int>, own: Int?) -> [String] {
    var lines: [String] = []
    for index in range {
      let word = Self.shellQuoted(words[index], isProgram: index == 0)
      if index == 0 {
        lines.append(word)
      } else if Self.isOption(words[index]) || index == own {
        lines.append("  " + word)
      } else {
        lines[lines.endIndex - 1] += " " + word
      }
    }
    return lines
  }

  /// `word` as a POSIX shell has to be given it: as it is where nothing in it means anything to a
  /// shell, else between single quotes.
  ///
  /// An equals sign is harmless but in the program's name, where it would make an assignment, and
  /// in front of a word, where zsh expands it.
  static func shellQuoted(_ word: String, isProgram: Bool = false) -> String {
    let equals = UInt8(ascii: "=")
    let isAssignment = isProgram && word.utf8.contains(equals)
    if let first = word.utf8.first, first != equals, !isAssignment,
      word.utf8.allSatisfy(isPlain)
    {
      return word
    }
    // By bytes: an apostrophe with a combining accent is one character, yet it ends the quotes.
    let quote = UInt8(ascii: "'")
    let inner = word.utf8.flatMap { $0 == quote ? Array(#"'\''"#.utf8) : [$0] }
    return "'" + String(decoding: inner, as: UTF8.self) + "'"
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: ":"): true
    case UInt8(ascii: ","), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "/"): true
    case UInt8(ascii: "@"), UInt8(ascii: "%"), UInt8(ascii: "+"), UInt8(ascii: "="): true
    default: false
    }
  }
}
