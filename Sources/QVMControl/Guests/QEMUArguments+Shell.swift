extension QEMUArguments {
  /// The command for a POSIX shell, with one option a line as in specification §7, and a newline at
  /// the end. A shell reads exactly the same arguments from it.
  ///
  /// The argument at `index` is the first that is not the driver's. It begins a line even if it
  /// isn't an option. Nil if all are the driver's.
  package func shellText(ownFrom index: Int? = nil) -> String {
    shellLines(words.indices, own: index).joined(separator: " \\\n") + "\n"
  }

  /// The number of the line, from 1, on which the argument at `index` begins in `shellText(ownFrom:
  /// index)`.
  package func shellLine(ofOwnFrom index: Int) -> Int {
    let above = shellLines(0..<min(index, words.count), own: nil)
    // An argument may contain newlines.
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

  /// Quotes an argument for a POSIX shell. It stays unchanged if no character in it is special to a
  /// shell, else it gets single quotes.
  ///
  /// An equals sign is special in the program's name, which it turns into an assignment, and as the
  /// first character, where zsh expands it.
  static func shellQuoted(_ word: String, isProgram: Bool = false) -> String {
    let equals = UInt8(ascii: "=")
    let isAssignment = isProgram && word.utf8.contains(equals)
    if let first = word.utf8.first, first != equals, !isAssignment,
      word.utf8.allSatisfy(isPlain)
    {
      return word
    }
    // Works on bytes: an apostrophe with a combining accent is one character, but still ends the
    // quotes.
    let quote = UInt8(ascii: "'")
    let inner = word.utf8.flatMap { $0 == quote ? Array(#"'\''"#.utf8) : [$0] }
    return "'" + String(decoding: inner, as: UTF8.self) + "'"
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    byte.isASCIIAlphanumeric || "_:,-./@%+=".utf8.contains(byte)
  }
}
