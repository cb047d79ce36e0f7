import Testing

@testable import QVMControl

/// What a guest wrote, as text.
@Suite struct PlainConsoleTests {
  /// What is written, and what is shown of it.
  static let samples: [(written: String, shown: String)] = [
    ("one\r\ntwo\ttab\r\n", "one\r\ntwo\ttab\r\n"),
    ("10 %\r20 %\rteh\u{8}\u{8}he", "10 %\r20 %\rteh\u{8}\u{8}he"),
    ("a\u{1B}[1;31mb\u{1B}[0m\u{1B}[Kc", "abc"), ("a\u{1B}[38:2::1:2:3mb", "ab"),
    ("a\u{1B}]0;title\u{7}b\u{1B}]52;c;aGk=\u{1B}\\c", "abc"),
    ("a\u{1B}P1$r0m\u{7}\n\u{1B}\\b\u{1B}_x\u{1B}\\c\u{1B}^x\u{7}d\u{1B}Xx\u{1B}\\e", "abcde"),
    // The title of screen, and Linux's colours, which have no end of their own.
    ("a\u{1B}kname\u{1B}\\b\u{1B}]P0123456c\u{1B}]Rd", "abcd"),
    // A string without an end: up to the line's end, or to another sequence.
    ("a\u{1B}]0;title\nb\u{1B}]0;\u{1B}[1mc\u{1B}P\u{18}d", "a\nbcd"),
    // tmux's way of handing a sequence through.
    ("a\u{1B}Ptmux;\u{1B}\u{1B}]52;c;aGk=\u{7}\u{1B}\\b", "ab"),
    // The controls of one character, in UTF-8.
    ("a\u{9B}31mb\u{9D}0;title\u{9C}c\u{90}q\u{9C}d\u{85}e", "abcd\ne"),
    ("a\u{1B}(0b\u{1B}#8c\u{1B}%Gd\u{1B} Fe", "abcde"),
    ("\u{0}a\u{5}\u{7}\u{B}\u{C}\u{E}\u{F}\u{11}\u{1A}\u{7F}b", "ab"),
    // A control character within a sequence acts at once; a sequence is given up by another one.
    ("a\u{1B}[3\n1mb\u{1B}[3\u{1B}[1mc\u{1B}[3\u{18}d\u{1B}[3é", "a\nbcdé"),
    // Places of the guest's own choice are other lines.
    ("menu\u{1B}[5;10Hone\u{1B}[6;10H\u{1B}[7mtwo\u{1B}[2J\u{1B}cthree", "menu\none\ntwo\nthree"),
    ("a\r\n\u{1B}[Hb\r\u{1B}[Jc", "a\r\nb\rc"),
    ("é雪👩‍💻", "é雪👩‍💻"), ("a\u{202E}b\u{200F}c\u{2028}d", "abcd"),
    ("a\u{1B}[" + String(repeating: "1;", count: 200) + "mb", "ab"),
  ]

  @Test(arguments: samples.indices)
  func `text is shown, and what a terminal would obey is not, however it is cut`(index: Int) {
    let (written, shown) = Self.samples[index]
    for pieces in cuts(of: Array(written.utf8)) {
      var console = PlainConsole()
      let bytes = pieces.flatMap { console.read($0) }
      #expect(String(decoding: bytes, as: UTF8.self) == shown, "\(pieces)")
    }
  }

  @Test(
    arguments: [
      ([0x61, 0xFF, 0x62], "a\u{FFFD}b"), ([0x9B, 0x33, 0x31, 0x6D], "\u{FFFD}31m"),
      ([0xC3, 0x28], "\u{FFFD}("), ([0xE2, 0x82, 0x41], "\u{FFFD}\u{FFFD}A"),
      ([0xED, 0xA0, 0x80], "\u{FFFD}\u{FFFD}\u{FFFD}"),
      ([0xF4, 0x90, 0x80, 0x80, 0x41], "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}A"),
      ([0xC0, 0x9B], "\u{FFFD}\u{FFFD}"), ([0xE0, 0x80, 0x9B], "\u{FFFD}\u{FFFD}\u{FFFD}"),
    ] as [([UInt8], String)])
  func `bytes that are no UTF-8 become a mark, however they are cut`(
    written: [UInt8], shown: String
  ) {
    for pieces in cuts(of: written) {
      var console = PlainConsole()
      let bytes = pieces.flatMap { console.read($0) }
      #expect(String(decoding: bytes, as: UTF8.self) == shown, "\(pieces)")
    }
  }

  @Test func `a string without an end ends all the same, and takes no memory`() {
    var console = PlainConsole()
    #expect(console.read(Array("\u{1B}P".utf8)) == [])
    let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 16)
    var shown = 0
    for _ in 0..<17 { shown += console.read(piece).count }
    #expect(shown == 17 << 16 - ControlScanner.longestString - 1)
  }

  @Test func `nothing of noise acts on a terminal`() {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<200 {
      // More escapes and openings of sequences than chance would give.
      let noise = (0..<500).map { _ in
        Bool.random()
          ? UInt8.random(in: 0...255, using: &generator)
          : [0x1B, 0x5B, 0x5D, 0x9B, 0xC2, 0x50, 0x3B][Int.random(in: 0..<7)]
      }
      var console = PlainConsole()
      let shown = String(decoding: console.read(noise), as: UTF8.self)
      let acting = shown.unicodeScalars.filter {
        !ForeignText.isHarmless($0) && !["\n", "\r", "\t", "\u{8}"].contains($0)
      }
      #expect(acting.isEmpty, "\(noise)")
    }
  }
}
