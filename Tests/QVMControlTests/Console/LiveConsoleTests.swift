import Testing

@testable import QVMControl

/// What a live console lets through.
@Suite struct LiveConsoleTests {
  /// What a terminal gets of what a guest wrote, once its screen is the guest's.
  private func passed(_ written: String, answers: Bool = false) -> [String] {
    cuts(of: Array(written.utf8)).map { pieces in
      var console = LiveConsole()
      console.rows = 2
      console.mostQuestions = answers ? 3 : 0
      // Two lines fill this screen.
      _ = console.read(Array("\n\n".utf8))
      return String(decoding: pieces.flatMap { console.read($0) }, as: UTF8.self)
    }
  }

  @Test(arguments: [
    "text\r\n\tand\u{8} a bell\u{7}", "é雪👩‍💻", "\u{1B}[1;38;5;3mcolour\u{1B}[38:2::1:2:3m\u{1B}[m",
    "\u{1B}[5;10H\u{1B}[3A\u{1B}[B\u{1B}[2C\u{1B}[D\u{1B}[G\u{1B}[4d\u{1B}M\u{1B}D\u{1B}E",
    "\u{1B}[J\u{1B}[2J\u{1B}[1K\u{1B}[3X\u{1B}[P\u{1B}[L\u{1B}[M\u{1B}[@\u{1B}[S\u{1B}[T",
    "\u{1B}[2;10r\u{1B}7\u{1B}8\u{1B}[s\u{1B}[u\u{1B}(0\u{E}qq\u{F}\u{1B}(B\u{1B})0",
    "\u{1B}[?1049h\u{1B}[?25l\u{1B}[?1h\u{1B}=\u{1B}[?2004h\u{1B}[?1002h\u{1B}[?1006h\u{1B}[?7l",
    "\u{1B}[4h\u{1B}[4l\u{1B}[!p\u{1B}[2 q",
  ])
  func `programs on a serial console get what they need`(written: String) {
    for shown in passed(written) { #expect(shown == written) }
  }

  @Test(arguments: [
    // Titles, the clipboard, links, colours of the terminal, notes, pictures, requests.
    "\u{1B}]0;title\u{7}", "\u{1B}]52;c;aGk=\u{1B}\\", "\u{1B}]8;;http://x\u{7}",
    "\u{1B}]11;?\u{7}",
    "\u{1B}]9;note\u{7}", "\u{1B}Pq#0\u{1B}\\", "\u{1B}P$qm\u{1B}\\", "\u{1B}_Gx\u{1B}\\",
    "\u{1B}kname\u{1B}\\", "\u{9D}52;c;aGk=\u{9C}",
    // The window, printing, the scrollback, the keyboard, the width, saved modes, the answerback.
    "\u{1B}[21t", "\u{1B}[8;1;1t", "\u{1B}[5i", "\u{1B}[3J", "\u{1B}[2h", "\u{1B}[12l",
    "\u{1B}[20h",
    "\u{1B}[?3h", "\u{1B}[?1s", "\u{1B}[?1r", "\u{5}", "\u{1B}[?2031h", "\u{1B}[1;2;3;4;5T",
    "\u{1B}%@", "\u{1B} G", "\u{1B}#8", "\u{1B}l",
    // Questions with free answers, or about what is not needed.
    "\u{1B}[?6n", "\u{1B}[x", "\u{1B}[>q", "\u{1B}[=c", "\u{1B}[?1$p", "\u{1B}[?u", "\u{1B}[>4;2m",
  ])
  func `what reaches beyond the screen is kept back`(written: String) {
    for shown in passed("<\(written)>", answers: true) { #expect(shown == "<>") }
  }

  @Test(arguments: ["\u{1B}[5n", "\u{1B}[6n", "\u{1B}[c", "\u{1B}[0c", "\u{1B}[>c", "\u{1B}Z"])
  func `a question is passed on only while its answer goes to the guest`(question: String) {
    for shown in passed("<\(question)>", answers: true) { #expect(shown == "<\(question)>") }
    for shown in passed("<\(question)>", answers: false) { #expect(shown == "<>") }
  }

  @Test func `no more questions are passed on than there may be`() {
    for shown in passed(String(repeating: "\u{1B}[6n", count: 100), answers: true) {
      #expect(shown == String(repeating: "\u{1B}[6n", count: 3))
    }
  }

  @Test func `answers among keys are counted, however they are cut`() {
    for pieces in cuts(of: Array("ab\u{1B}[12;40Rc\u{1B}[A\u{1B}[0n\u{1B}OP\u{1B}[?62;4c".utf8)) {
      var answers = TerminalAnswers()
      for piece in pieces { answers.read(piece) }
      #expect(answers.count == 3)
    }
  }

  @Test(arguments: [
    ("plain \u{1B}[1mbold\u{1B}[m", ""), ("\u{1B}[?7l", "\u{1B}[?7h"),
    ("\u{1B}[?25l", "\u{1B}[?25h"),
    ("\u{1B}[?25l\u{1B}[?25h", ""), ("\u{1B}[38;5;0m", "\u{1B}[m"),
    ("\u{1B}[5;5Hx\u{1B}[?1049h", "\u{1B}[?1049l\u{1B}[999;1H\r\n"),
    ("\u{1B}[31m", "\u{1B}[m"), ("\u{1B}[4h", "\u{1B}[4l"),
    ("\u{1B}[?1000;1002h\u{1B}[?1006h", "\u{1B}[?1006l\u{1B}[?1002l\u{1B}[?1000l"),
    ("\u{1B}[?2004h\u{1B}[?1h\u{1B}=", "\u{1B}[?1l\u{1B}[?2004l\u{1B}>"),
    // The alternate screen first: with the cursor it brings back what it looked like.
    ("\u{1B}[?25l\u{1B}[?1049h\u{1B}[31m\u{1B}[5;5H", "\u{1B}[?1049l\u{1B}[?25h\u{1B}[m"),
    ("\u{1B}[?1049h\u{1B}[?47l", ""), ("\u{E}", "\u{F}"), ("\u{1B}(0\u{1B}(B", ""),
    ("\u{1B}(0\u{1B})U", "\u{1B}(B\u{1B})B"), ("\u{1B}[3 q", "\u{1B}[0 q"),
    // Where the cursor may be anywhere, it goes below everything.
    ("\u{1B}[2;5r", "\u{1B}[r\u{1B}[999;1H\r\n"), ("\u{1B}[2;5r\u{1B}[r", "\u{1B}[999;1H\r\n"),
    ("\u{1B}[3;4Hx", "\u{1B}[999;1H\r\n"), ("\u{1B}7\u{1B}[99;99H\u{1B}8", ""),
    ("\u{1B}[3;4Hx\n\n", ""), ("\u{1B}[?7l\u{1B}[?1049h\u{1B}[?25l\u{1B}c", ""),
    ("\u{1B}[?1h\u{1B}[?25l\u{1B}[4h\u{1B}[!p", ""),
  ])
  func `what was switched is switched back`(written: String, farewell: String) {
    for pieces in cuts(of: Array(written.utf8)) {
      var console = LiveConsole()
      console.rows = 2
      _ = console.read(Array("\n\n".utf8))
      for piece in pieces { _ = console.read(piece) }
      #expect(String(decoding: console.farewell, as: UTF8.self) == farewell, "\(written)")
    }
  }

  @Test func `what was switched back is switched again`() {
    var console = LiveConsole()
    let written = "\u{1B}[?7l\u{1B}[?1049h\u{1B}[?1002h\u{1B}[?1002l\u{1B}[4h\u{1B}="
    _ = console.read(Array(written.utf8))
    #expect(
      String(decoding: console.comeback, as: UTF8.self)
        == "\u{1B}[?7l\u{1B}[?1049h\u{1B}[4h\u{1B}=")
  }

  @Test(arguments: ["[0 q", "[ q"])
  func `a cursor that has its first shape again needs nothing switched back`(reset: String) {
    var console = LiveConsole()
    _ = console.read(Array("\u{1B}[3 q".utf8))
    #expect(!console.modes.restoration.isEmpty)
    _ = console.read(Array("\u{1B}\(reset)".utf8))
    #expect(console.modes.restoration.isEmpty)
  }

  /// What a sink gets, but for text.
  private struct Seen: ControlSink {
    var sequences: [ControlSequence] = []
    var controls: Set<UInt8> = []
    var hasInvalid = false

    mutating func text(_ bytes: ArraySlice<UInt8>) {}
    mutating func invalid() { hasInvalid = true }
    mutating func control(_ byte: UInt8) { controls.insert(byte) }
    mutating func sequence(_ sequence: ControlSequence) { sequences.append(sequence) }
  }

  /// Bytes with more beginnings of sequences, and sequences, than chance would give.
  private func noise() -> [UInt8] {
    let pieces = [
      "\u{1B}", "\u{1B}[", "\u{1B}]", "\u{1B}P", "\u{9B}", "\u{1B}c", "\u{1B}[?1049h",
      "\u{1B}[?7;25l", "\u{1B}[3 q",
    ]
    return (0..<300).flatMap { _ -> [UInt8] in
      switch Int.random(in: 0..<4) {
      case 0: Array(pieces[Int.random(in: pieces.indices)].utf8)
      case 1: [UInt8.random(in: 0...255)]
      default: [UInt8.random(in: 0x30...0x7E)]
      }
    }
  }

  @Test func `of noise only what is let through comes out, whole, and all of it is switched back`()
  {
    for _ in 0..<300 {
      let noise = noise()
      var (whole, pieces) = (LiveConsole(), LiveConsole())
      let shown = whole.read(noise)
      var rest = noise[...]
      var cut: [UInt8] = []
      while !rest.isEmpty {
        let piece = Array(rest.prefix(Int.random(in: 1...40)))
        rest = rest.dropFirst(piece.count)
        cut += pieces.read(piece)
      }
      #expect(cut == shown, "\(noise)")

      // As a terminal reads it.
      var (scanner, seen) = (ControlScanner(), Seen())
      scanner.scan(shown + [0x07], into: &seen)
      #expect(
        seen.sequences.allSatisfy { SequenceKind($0) != nil && SequenceKind($0) != .fullReset })
      #expect(seen.controls.isSubset(of: [0x07, 0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x0E, 0x0F]))
      #expect(seen.controls.contains(0x07), "a string is open: \(noise)")
      #expect(!seen.hasInvalid)

      var terminal = LiveConsole()
      _ = terminal.read(shown + whole.farewell)
      #expect(terminal.modes.restoration == [], "\(noise)")
    }
  }
}
