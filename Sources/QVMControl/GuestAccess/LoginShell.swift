/// Scripts for whatever shell a user has in a guest.
///
/// An ssh server hands the words of a command to the user's login shell, which may be a csh (FreeBSD
/// up to 13) or a fish. What all of them pass on alike is a word in single quotes without a quote, an
/// exclamation mark, a backslash, a control character, or a byte that is no ASCII.
enum LoginShell {
  /// The line that has a guest's /bin/sh run a script, whichever shell reads it first.
  ///
  /// - Parameter script: For a POSIX shell, with the guest's standard input still to be read.
  /// - Returns: One line for ssh; the script is readable in it.
  static func line(running script: String) -> String {
    "exec /bin/sh -c '\(decoding)' qvm '\(escaped(script))'"
  }

  /// What runs a script that is its first word, escaped.
  static let decoding = #"eval "$(printf %b "$1")""#

  /// A text as printf's `%b` gives it back.
  private static func escaped(_ text: String) -> String {
    var bytes: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "'"), UInt8(ascii: "!"), UInt8(ascii: "\\"), 0..<0x20, 0x7F...0xFF:
        let digits = String(byte, radix: 8)
        bytes += Array("\\0\(String(repeating: "0", count: 3 - digits.utf8.count))\(digits)".utf8)
      default: bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// A text as one word of a POSIX shell.
  static func quoted(_ text: String) -> String { "'\(text.replacing("'", with: #"'\''"#))'" }
}
