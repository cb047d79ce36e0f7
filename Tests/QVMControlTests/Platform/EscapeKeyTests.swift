import Testing

@testable import QVMControl

@Suite struct EscapeKeyTests {
  @Test(
    arguments: [
      ("ctrl-a", 0x01 as UInt8?, "Ctrl-A"), ("Ctrl-Z", 0x1A, "Ctrl-Z"), ("^b", 0x02, "Ctrl-B"),
      ("^A", 0x01, "Ctrl-A"), ("ctrl-]", 0x1D, "Ctrl-]"), (#"CTRL-\"#, 0x1C, #"Ctrl-\"#),
      ("none", nil, nil),
    ] as [(String, UInt8?, String?)])
  func `a key is named as people write it`(word: String, byte: UInt8?, title: String?) throws {
    let key = try EscapeKey(word)
    #expect(key.byte == byte)
    #expect(key.title == title)
    #expect(try EscapeKey.chosen(word) == key)
  }

  @Test(arguments: ["", "a", "ctrl-", "ctrl-5", "ctrl-aa", "ctrl-é", "^", "^[", "ctrl-@", "escape"])
  func `another word is an error that names those that can be`(word: String) {
    let error = #expect(throws: EscapeKey.Unknown.self) { try EscapeKey(word) }
    #expect(error?.message.contains("'\(word)'") == true)
    for known in ["ctrl-a", "ctrl-z", "ctrl-]", #"ctrl-\"#, "none"] {
      #expect(error?.advice?.contains(known) == true)
    }
  }
}
