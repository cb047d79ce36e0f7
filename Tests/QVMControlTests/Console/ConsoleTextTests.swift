import Testing

@testable import QVMControl

@Suite struct ConsoleTextTests {
  @Test(arguments: [
    ("one\r\ntwo\r\n", ["one", "two"]),
    // A reset, a cleared screen, colours, a cursor that is moved, a title.
    ("\u{1B}c\u{1B}[2J\u{1B}[1;31mred\u{1B}[0m\n", ["red"]),
    ("a\u{1B}]0;title\u{7}b\u{1B}]2;x\u{1B}\\c\n", ["abc"]),
    ("\u{1B}(Bplain\n", ["plain"]),
    // Progress that is written over, and letters that are taken back.
    ("10 %\r20 %\r30 %\r\n", ["30 %"]), ("teh\u{8}\u{8}he\n", ["the"]),
    ("nul\u{0}\u{7}\u{7F}\u{85}s\ttab\n", ["nul", "s\ttab"]),
    ("\n \n\r\nlast", ["last"]), ("grüße\n", ["grüße"]), ("\u{1B}", []), ("", []),
  ])
  func `what a terminal would obey is left out`(written: String, lines: [String]) {
    #expect(ConsoleText.lines(Array(written.utf8)) == lines)
  }

  @Test func `bytes that are no text do no harm, and no line is endless`() {
    let noise = ConsoleText.lines((0...255).map { UInt8($0) })
    #expect(noise.allSatisfy { $0.unicodeScalars.allSatisfy { $0.value >= 0x20 || $0 == "\t" } })
    #expect(ConsoleText.lines([UInt8](repeating: 0x78, count: 5000))[0].count == 400)
  }
}
