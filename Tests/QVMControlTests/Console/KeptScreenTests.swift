import Testing

@testable import QVMControl

/// What stood on the screen before the guest cleared it.
@Suite struct KeptScreenTests {
  /// What a terminal of three rows gets, however what the guest writes is cut.
  private func shown(_ written: String, after before: String = "", remark: Bool = false) -> String {
    var all: Set<String> = []
    for pieces in cuts(of: Array(written.utf8)) {
      var console = LiveConsole()
      console.rows = 3
      _ = console.read(Array(before.utf8))
      if remark { console.noteRemark() }
      all.insert(String(decoding: pieces.flatMap { console.read($0) }, as: UTF8.self))
    }
    #expect(all.count == 1)
    return all.first ?? ""
  }

  private static let away = "\u{1B}[r\u{1B}[999;1H\n\n\n\u{1B}[H"

  @Test func `a firmware's reset continues below`() {
    // As SeaBIOS begins.
    #expect(
      shown("\u{1B}c\u{1B}[?7l\u{1B}[2J\u{1B}[0mSeaBIOS\r\n")
        == "\u{1B}[J\u{1B}[?7l\u{1B}[J\u{1B}[0mSeaBIOS\r\n")
    // Within a line, below that line.
    #expect(shown("\u{1B}cx", after: "y") == "\r\n\u{1B}[Jx")
  }

  @Test func `a guest that chooses a place gets a screen of its own, with its lines`() {
    #expect(
      shown("\u{1B}[2;5Hy", after: "\u{1B}cone\r\ntwo")
        == "\u{1B}[2;5H\u{1B}[m\(Self.away)" + "one\r\ntwo" + "\u{1B}[2;5Hy")
    // From then on it is the guest's.
    #expect(
      shown("\u{1B}[1;1Hz\u{1B}[H\u{1B}[2J", after: "\u{1B}[2;5Hy")
        == "\u{1B}[1;1Hz\u{1B}[H\u{1B}[2J")
  }

  @Test func `what a guest clears with the cursor at home is scrolled away`() {
    for clearing in ["\u{1B}[2J", "\u{1B}[J"] {
      #expect(
        shown("\u{1B}[H\(clearing)", after: "login")
          == "\u{1B}[H\u{1B}[m\(Self.away)\u{1B}[H\(clearing)")
    }
  }

  @Test func `going there and back moves nothing`() {
    let asks = "\u{1B}7\u{1B}[r\u{1B}[99;99H\u{1B}8"
    #expect(shown("\(asks)$ ") == "\(asks)$ ")
  }

  @Test func `the alternate screen is the guest's own`() {
    let written = "\u{1B}[?1049h\u{1B}[H\u{1B}[2J\u{1B}[2;2Hx\u{1B}[?1049l$ "
    #expect(shown(written, after: "$ vi\r\n") == written)
  }

  @Test func `when a screenful has gone by the screen is the guest's`() {
    #expect(shown("\u{1B}[1;1Hx", after: "1\n2\n3\n4") == "\u{1B}[1;1Hx")
    #expect(shown("\u{1B}[2J", after: "1\n2\n3\n4") == "\u{1B}[2J")
    // Beyond what is kept to be written again, too.
    #expect(shown("\u{1B}[1;1Hx", after: String(repeating: "x", count: 20_000)) == "\u{1B}[1;1Hx")
  }

  @Test func `a remark on the guest's screen is scrolled away before that is cleared`() {
    #expect(
      shown("\u{1B}[2J", after: "1\n2\n3\n4", remark: true) == "\u{1B}7\(Self.away)\u{1B}8\u{1B}[2J"
    )
    #expect(
      shown("\u{1B}[H\u{1B}[J", after: "1\n2\n3\n4", remark: true)
        == "\u{1B}[H\u{1B}7\(Self.away)\u{1B}8\u{1B}[J")
    #expect(shown("5\n6\n7\n\u{1B}[2J", after: "1\n2\n3\n4", remark: true) == "5\n6\n7\n\u{1B}[2J")
  }

  @Test func `the reset of a guest that restarts scrolls its last words away`() {
    #expect(shown("\u{1B}c", after: "\u{1B}[?25l1\n2\n3\npanic") == "\u{1B}[?25h\(Self.away)")
  }

  @Test func `a guest doesn't erase the lines above its own`() {
    #expect(
      shown("\u{1B}[1J", after: "one\r\n") == "\u{1B}[m\(Self.away)one\r\n\u{1B}[1J")
  }

  @Test func `a guest doesn't climb into the lines above its own`() {
    #expect(shown("\u{1B}[Ax", after: "one\r\n") == "\u{1B}[Ax")
    #expect(
      shown("\u{1B}[2Ax", after: "one\r\n") == "\u{1B}[2A\u{1B}[m\(Self.away)one\r\n\u{1B}[2Ax")
  }
}
