/// The console's escape key: the key that is typed after it is a command to qvm.
package struct EscapeKey: Sendable, Hashable {
  /// The byte that the key sends; nil for no escape key.
  package let byte: UInt8?

  package static let usual = EscapeKey(byte: 0x1D)

  /// A text that doesn't name an escape key.
  package struct Unknown: UserFacingError, Hashable {
    package let word: String

    package var message: String { "'\(word)' is not a valid escape key" }
    package var advice: String? {
      #"Use ctrl-a to ctrl-z (or ^A to ^Z), ctrl-], ctrl-\ or none."#
    }
    package var exitStatus: ExitStatus { .usage }
  }

  private init(byte: UInt8?) { self.byte = byte }

  /// Reads a name such as `ctrl-a`, `^]` or `none`, in upper or lower case.
  ///
  /// - Throws: ``Unknown``.
  package init(_ word: String) throws(Unknown) {
    let small = word.lowercased()
    if small == "none" {
      self.init(byte: nil)
      return
    }
    let prefix = ["ctrl-", "^"].first { small.hasPrefix($0) }
    let key = prefix.map { small.dropFirst($0.count).utf8 }
    guard let key, key.count == 1, let letter = key.first,
      UInt8(ascii: "a")...UInt8(ascii: "z") ~= letter || #"]\"#.utf8.contains(letter)
    else { throw Unknown(word: word) }
    self.init(byte: letter & 0x1F)
  }

  /// The user's choice: the option, else `QVM_ESCAPE`, else the usual key.
  ///
  /// - Throws: ``Unknown``.
  package static func chosen(_ option: String?) throws(Unknown) -> EscapeKey {
    guard let word = option ?? Host.environment("QVM_ESCAPE") else { return usual }
    return try EscapeKey(word)
  }

  /// Its title, such as `Ctrl-]`; nil for no escape key.
  package var title: String? { byte.map(Self.title(of:)) }

  static func title(of byte: UInt8) -> String {
    "Ctrl-\(Character(Unicode.Scalar(byte | 0x40)))"
  }
}
