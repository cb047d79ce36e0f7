import Testing

@testable import QMPClient

@Suite struct LineFramerTests {
  /// The lines that come out when the pieces go in one after the other.
  private func lines(_ pieces: [[UInt8]], limit: Int = 1000) throws(QMPError) -> [String] {
    var framer = LineFramer(limit: limit)
    var lines: [String] = []
    for piece in pieces {
      framer.append(piece)
      while let line = try framer.next({ String(decoding: $0, as: UTF8.self) }) {
        lines.append(line)
      }
    }
    return lines
  }

  @Test(
    arguments: [
      ("", []), ("a", []), ("a\n", ["a"]), ("a\r\n", ["a"]), ("a\r\nb\nc", ["a", "b"]),
      ("\n\r\n\n", ["", "", ""]), ("a\rb\r\n", ["a\rb"]), ("\r\r\n", ["\r"]), ("é\n", ["é"]),
    ] as [(String, [String])])
  func `a line ends with LF or CR LF`(text: String, expected: [String]) throws {
    #expect(try lines([Array(text.utf8)]) == expected)
  }

  @Test func `lines don't depend on where the stream was cut`() throws {
    let bytes = Array("{\"a\": 1}\r\n\r\n{\"é\": [2]}\r\nrest\nnot yet".utf8)
    let whole = try lines([bytes])
    #expect(whole == ["{\"a\": 1}", "", "{\"é\": [2]}", "rest"])
    for first in bytes.indices {
      for second in first..<bytes.count {
        let pieces = [bytes[..<first], bytes[first..<second], bytes[second...]].map(Array.init)
        #expect(try lines(pieces) == whole)
      }
    }
    #expect(try lines(bytes.map { [$0] }) == whole)
  }

  @Test func `a line of the limit passes, and one byte more fails, with or without its end`() throws
  {
    let line = [UInt8](repeating: 0x61, count: 100)
    #expect(try lines([line, [0x0A]], limit: 100).map(\.utf8.count) == [100])
    #expect(throws: QMPError.lineTooLong(limit: 100)) {
      try lines([line, [0x61]], limit: 100)
    }
    #expect(throws: QMPError.lineTooLong(limit: 100)) {
      try lines([line + [0x61, 0x0A]], limit: 100)
    }
  }

  @Test(.timeLimit(.minutes(1)))
  func `a long line of many reads is looked at once`() throws {
    // Looking from its start at each read would touch 4 GB here.
    var framer = LineFramer(limit: 16 << 20)
    let piece = [UInt8](repeating: 0x61, count: 1 << 10)
    for _ in 0..<(1 << 11) {
      framer.append(piece)
      #expect(try framer.next({ $0.count }) == nil)
    }
    framer.append([0x0A])
    #expect(try framer.next({ $0.count }) == 2 << 20)
  }

  @Test func `many short lines in one read come out one by one`() throws {
    let bytes = Array(String(repeating: "{}\r\n", count: 50_000).utf8)
    var framer = LineFramer(limit: 100)
    var count = 0
    for start in stride(from: 0, to: bytes.count, by: 65_536) {
      framer.append(Array(bytes[start..<min(start + 65_536, bytes.count)]))
      while let length = try framer.next({ $0.count }) {
        #expect(length == 2)
        count += 1
      }
    }
    #expect(count == 50_000)
  }
}
