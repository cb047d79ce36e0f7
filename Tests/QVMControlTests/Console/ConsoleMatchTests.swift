import Testing

@testable import QVMControl

@Suite struct ConsoleMatchTests {
  private func isFound(_ text: String, in pieces: [[UInt8]]) -> Bool {
    var match = ConsoleMatch(text)
    for piece in pieces { match.read(piece) }
    return match.isFound
  }

  @Test(arguments: ["login:", "l", "aab", "ready é"])
  func `a text is found however it is split`(text: String) {
    let stream = Array("xx aaab lo\r\nlogin: ready é yy".utf8)
    for first in 0...stream.count {
      for second in first...stream.count {
        let pieces = [
          Array(stream[..<first]), Array(stream[first..<second]), Array(stream[second...]),
        ]
        #expect(isFound(text, in: pieces))
      }
    }
    #expect(isFound(text, in: stream.map { [$0] }))
  }

  @Test(arguments: ["login:", "nil", "gol", "xl"])
  func `a text that isn't there is not found, however it is split`(text: String) {
    let stream = Array("logi logn: xx login log".utf8)
    #expect(!isFound(text, in: [stream]))
    #expect(!isFound(text, in: stream.map { [$0] }))
  }

  @Test func `what was found stays found, and nothing is nothing`() {
    var match = ConsoleMatch("a")
    match.read([])
    #expect(!match.isFound)
    match.read(Array("a".utf8))
    match.read(Array("b".utf8))
    #expect(match.isFound)
  }

  @Test func `bytes that are no text do no harm`() {
    #expect(isFound("ok", in: [[0xFF, 0x00, 0x1B], Array("o".utf8), Array("k".utf8)]))
    #expect(!isFound("ok", in: [Array("o".utf8), [0xFF], Array("k".utf8)]))
  }

  /// As systemd, a boot menu and a shell write it.
  private static let dressed =
    "[\u{1B}[0;32m  OK  \u{1B}[0m] Started \u{1B}[0;1;39mssh\u{1B}[0m.\r\n"
    + "\u{1B}]0;title\u{7}lo\u{1B}[1mg\u{1B}[K\u{0}in\u{1B}[m:\u{1B}[5;10Hfar"

  @Test(arguments: ["[  OK  ] Started ssh.", "login:", "login:\nfar"])
  func `a text is found as a person reads it, wherever its sequences are cut`(text: String) {
    let stream = Array(Self.dressed.utf8)
    for cut in 0...stream.count {
      #expect(isFound(text, in: [Array(stream[..<cut]), Array(stream[cut...])]), "at \(cut)")
    }
    #expect(isFound(text, in: stream.map { [$0] }))
  }

  @Test(arguments: ["login:far", "ssh.login", "titlelogin"])
  func `what stands apart for a person is not found as one`(text: String) {
    #expect(!isFound(text, in: [Array(Self.dressed.utf8)]))
    #expect(!isFound(text, in: Array(Self.dressed.utf8).map { [$0] }))
  }

  @Test func `a text with a sequence of its own is found as it is written`() {
    let text = "\u{1B}[0;32m  OK"
    #expect(isFound(text, in: Array(Self.dressed.utf8).map { [$0] }))
  }
}
