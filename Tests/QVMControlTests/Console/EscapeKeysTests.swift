import Testing

@testable import QVMControl

@Suite struct EscapeKeysTests {
  private static let prefix = "\u{1D}"

  @Test(arguments: [
    ("hello\r", [EscapeKeys.Action.send(Array("hello\r".utf8))]),
    ("", []),
    ("\u{1D}", []),
    ("\u{1D}c", [.send([0x03])]),
    ("\u{1D}\u{3}", [.send([0x03])]),
    ("\u{1D}z", [.send([0x1A])]),
    ("\u{1D}\u{1A}", [.send([0x1A])]),
    ("\u{1D}\\", [.send([0x1C])]),
    ("\u{1D}\u{1C}", [.send([0x1C])]),
    ("\u{1D}]", [.send([0x1D])]),
    ("\u{1D}\u{1D}", [.send([0x1D])]),
    ("\u{1D}d", [.detach]),
    ("\u{1D}?", [.help]),
    ("\u{1D}q", [.help]),
    ("ab\u{1D}ccd", [.send([0x61, 0x62, 0x03, 0x63, 0x64])]),
    ("a\u{1D}?b\u{1D}dc", [.send([0x61]), .help, .send([0x62]), .detach, .send([0x63])]),
    ("\u{1D}\u{1D}d", [.send([0x1D, 0x64])]),
  ])
  func `what follows Ctrl-] is for qvm, the rest for the guest`(
    typed: String, actions: [EscapeKeys.Action]
  ) {
    var keys = EscapeKeys()
    #expect(keys.read(Array(typed.utf8)) == actions)
  }

  @Test func `an escape may be split over two reads, and ends with its key`() {
    var keys = EscapeKeys()
    #expect(keys.read([0x61, 0x1D]) == [.send([0x61])])
    #expect(keys.read([]) == [])
    #expect(keys.read(Array("dx".utf8)) == [.detach, .send([0x78])])
    #expect(keys.read(Array("d".utf8)) == [.send([0x64])])
  }

  @Test func `every byte but the prefix reaches the guest as it is`() {
    var keys = EscapeKeys()
    let bytes = (UInt8.min ... .max).filter { $0 != 0x1D }
    #expect(keys.read(bytes) == [.send(bytes)])
  }

  @Test func `another key takes its place, is sent when typed twice, and Ctrl-] is the guest's`()
    throws
  {
    var keys = EscapeKeys(try EscapeKey("ctrl-d"))
    #expect(keys.read([0x1D, 0x04, 0x04, 0x61]) == [.send([0x1D, 0x04, 0x61])])
    #expect(keys.read([0x04, 0x63]) == [.send([0x03])])
    #expect(keys.read([0x04, 0x5D]) == [.help])
    #expect(keys.read([0x04, 0x64]) == [.detach])
    var none = EscapeKeys(try EscapeKey("none"))
    let bytes = Array(UInt8.min ... .max)
    #expect(none.read(bytes) == [.send(bytes)])
  }

  @Test(arguments: [
    ("ctrl-]", ["Ctrl-C", #"Ctrl-\"#, "Ctrl-Z"], "Ctrl-]"),
    ("ctrl-a", ["Ctrl-C", #"Ctrl-\"#, "Ctrl-Z"], "Ctrl-A"),
    ("ctrl-z", ["Ctrl-C", #"Ctrl-\"#], "Ctrl-Z"),
    ("ctrl-c", [#"Ctrl-\"#, "Ctrl-Z"], "Ctrl-C"),
  ])
  func `the list names every key that does something`(
    word: String, signals: [String], title: String
  ) throws {
    let keys = EscapeKeys(try EscapeKey(word))
    let after = ["c", "z", #"\"#, title, "d", "?"].map { "\(title) \($0)" }
    let lines = keys.help.split(separator: "\n").map {
      $0.split(separator: "  ", omittingEmptySubsequences: true)[0]
    }
    #expect(lines.map(String.init) == signals + after)
    let attached = keys.attachedHelp
    for key in [title, "d", "?"] { #expect(attached.contains("\(title) \(key) ")) }
  }
}
