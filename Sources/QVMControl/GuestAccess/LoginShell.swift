/// Quotes scripts for any login shell in a guest.
///
/// An ssh server passes a command to the user's login shell, which may be csh (FreeBSD up to 13) or
/// fish. All shells read an argument in single quotes in the same way, if it contains no quote,
/// exclamation mark, backslash, control character or non-ASCII byte.
enum LoginShell {
  /// A command line by which any login shell runs a script in the guest's /bin/sh.
  ///
  /// - Parameter script: A script for a POSIX shell. It can read standard input.
  /// - Returns: One line for ssh, in which the script is readable.
  static func line(running script: String) -> String {
    "exec /bin/sh -c '\(decoding)' sh '\(escaped(script))'"
  }

  /// Runs the escaped script in its first argument.
  static let decoding = #"eval "$(printf %b "$1")""#

  /// Escapes a text for printf's `%b`.
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

  /// Quotes a text as one argument for a POSIX shell.
  static func quoted(_ text: String) -> String { "'\(text.replacing("'", with: #"'\''"#))'" }
}
