import Testing

@testable import QVMControl

@Suite struct LineTaggerTests {
  private func text(_ pieces: [String], isTerminal: Bool) -> String {
    var tagger = LineTagger(tag: "a | ", isTerminal: isTerminal)
    var bytes: [UInt8] = []
    for piece in pieces { bytes += tagger.read(Array(piece.utf8)) }
    return String(decoding: bytes + tagger.finish(), as: UTF8.self)
  }

  private static let cases: [(pieces: [String], isTerminal: Bool, text: String)] = [
    (["one\ntw", "o\n"], false, "a | one\na | two\n"), (["", "no end"], false, "a | no end\n"),
    (["\n\n"], false, "a | \na | \n"), ([], false, ""),
    (["x\u{1B}[31m\r\ny\u{8}\n"], false, "a | x\u{1B}[31m\r\na | y\u{8}\n"),
    // On a terminal nothing overwrites the tag, nor anything else.
    (["10%\r50%\r", "100%\r\n"], true, "a | 100%\n"),
    (["ab\u{8}\u{8}\u{8}\u{8}c\n"], true, "a | abc\n"),
    (["\u{1B}[2J\u{1B}]0;t\u{7}x\u{1B}[1mbold\u{1B}[0m\n"], true, "a | xbold\n"),
    (["x\u{1B}[A\u{1B}[Ay\n"], true, "a | x\na | y\n"),
  ]

  @Test(arguments: cases)
  func `each line begins with the tag, and the last one gets an end`(
    pieces: [String], isTerminal: Bool, expected: String
  ) {
    #expect(text(pieces, isTerminal: isTerminal) == expected)
  }

  @Test func `a line without end is divided`() {
    var tagger = LineTagger(tag: "a", isTerminal: false)
    let some = [UInt8](repeating: 0x78, count: LineTagger.longestLine / 2)
    #expect(tagger.read(some).isEmpty)
    #expect(tagger.read(some).count == LineTagger.longestLine + 2)
    #expect(tagger.finish().isEmpty)
  }

  @Test func `labels have one width`() {
    #expect(MatrixTag("a", width: 3, index: 7).text(for: -1) == "a   | ")
  }
}
