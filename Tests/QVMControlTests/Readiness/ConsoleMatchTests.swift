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
    #expect(!isFound("ok", in: [Array("o".utf8), [0x00], Array("k".utf8)]))
  }
}
