/// Quotes scripts for any login shell in a guest.
///
/// An ssh server passes a command to the user's login shell, which may be csh (FreeBSD up to 13) or
/// fish. All shells read an argument in single quotes in the same way, if it contains no quote,
/// exclamation mark, backslash, control character or non-ASCII byte.
enum LoginShell {
  /// A command line by which any login shell runs a script in the guest's /bin/sh.
  ///
  /// - Parameter script: A script for a POSIX shell. It can read standard input. Its first argument and
  ///   its second are for ``runningAgain``.
  /// - Returns: One line for ssh, in which the script is readable.
  static func line(running script: String) -> String {
    // Decoding takes another process in the guest.
    let running = script.utf8.contains(where: needsEscape) ? decoding : #"eval "$1""#
    return "exec /bin/sh -c '\(running)' sh '\(escaped(script))' '\(running)'"
  }

  /// In a script: the words that run it once more, in a shell of its own and without a second argument.
  static let runningAgain = #"/bin/sh -c "$2" sh "$1""#

  /// Runs the escaped script in its first argument.
  private static let decoding = #"eval "$(printf %b "$1")""#

  private static func needsEscape(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "'"), UInt8(ascii: "!"), UInt8(ascii: "\\"), 0..<0x20, 0x7F...0xFF: true
    default: false
    }
  }

  /// A command line by which any login shell runs the script that is the first line of standard
  /// input, ``escaped(_:)``. The script reads what follows that line: `read` takes one byte at a time.
  static let lineReadingScript =
    #"exec /bin/sh -c 'IFS= read -r l; eval "$(printf %b "$l")"'"#

  /// Escapes a text for printf's `%b`, as one line.
  static func escaped(_ text: String) -> String {
    var bytes: [UInt8] = []
    for byte in text.utf8 {
      guard needsEscape(byte) else {
        bytes.append(byte)
        continue
      }
      let digits = String(byte, radix: 8)
      bytes += Array("\\0\(String(repeating: "0", count: 3 - digits.utf8.count))\(digits)".utf8)
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Quotes a text as one argument for a POSIX shell; a plain word needs no quotes.
  static func quoted(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy { $0.isASCIIAlphanumeric || "/._-+,:@%=".utf8.contains($0) }
    // A word with `=` in front of a command would be a variable.
    if isPlain, !text.isEmpty, !text.contains("=") || text.hasPrefix("-") { return text }
    return "'\(text.replacing("'", with: #"'\''"#))'"
  }
}
