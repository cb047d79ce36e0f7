import QMPClient
import Testing

@testable import QVMControl

/// What others wrote, in qvm's own lines.
@Suite struct ForeignTextTests {
  @Test(arguments: [
    ("plain: é 雪 👩‍💻", "plain: é 雪 👩‍💻"),
    ("\u{1B}]0;title\u{7}x", #"\u{1b}]0;title\u{7}x"#), ("\u{9B}2J\u{7F}", #"\u{9b}2J\u{7f}"#),
    ("a\nqvm: box powered off\r\tb", #"a\nqvm: box powered off\r\tb"#),
    ("a\u{202E}fdp.exe\u{2066}\u{200F}", #"a\u{202e}fdp.exe\u{2066}\u{200f}"#),
    ("a\u{2028}b\u{2029}c\u{FEFF}", #"a\u{2028}b\u{2029}c\u{feff}"#),
    ("a\r\nb", #"a\r\nb"#), ("", ""),
    (String(decoding: [0x61, 0xFF, 0x9B], as: UTF8.self), "a\u{FFFD}\u{FFFD}"),
  ])
  func `a line keeps what can be shown, and spells the rest`(text: String, line: String) {
    #expect(ForeignText.line(text) == line)
  }

  @Test func `lines keep their ends and tabs, and nothing else that acts`() {
    #expect(ForeignText.lines("a\n\tb\r\n\u{1B}[2J") == "a\n\tb" + #"\r"# + "\n" + #"\u{1b}[2J"#)
  }

  @Test func `no line and no message is endless`() {
    let long = String(repeating: "é", count: 5000)
    #expect(ForeignText.line(long).unicodeScalars.count == ForeignText.longestLine + 1)
    #expect(ForeignText.line(String(repeating: "é", count: 1000)).hasSuffix("é"))
    let message = ForeignText.message(String(repeating: "\(long)\n", count: 500))
    #expect(message.split(separator: "\n").count == ForeignText.mostLines + 1)
    #expect(message.utf8.count < 210_000)
    #expect(ForeignText.message("a\nb\n") == "a\nb\n")
  }

  /// Every character that there is, for what a terminal would obey.
  @Test func `every control character is removed`() {
    for value in (0...0x10FFFF as ClosedRange<UInt32>).lazy.compactMap(Unicode.Scalar.init)
    where value.properties.generalCategory == .control {
      let line = ForeignText.line("\(Character(value))")
      #expect(line.utf8.allSatisfy { 0x20..<0x7F ~= $0 }, "\(value.value)")
    }
  }

  @Test func `what a supervisor says is harmless when it has been read`() throws {
    let words = "a\u{1B}[2J\nb\u{202E}"
    let harmless = #"a\u{1b}[2J"# + "\n" + #"b\u{202e}"#
    let line = #"a\u{1b}[2J\nb\u{202e}"#
    let text = JSONValue.string(words)
    #expect(ControlEvent(["event": "notice", "text": text]) == .notice(harmless))
    #expect(
      ControlEvent(["event": "failed", "message": text, "advice": text, "status": 1])
        == .failed(message: harmless, advice: harmless, status: 1))
    #expect(
      ControlEvent(["event": "running", "accelerator": text])
        == .running(sshAddress: nil, sshPort: nil, accelerator: line))
    #expect(
      ControlEvent(["event": "phase", "phase": "paused", "reason": text])
        == .phase(.paused, reason: line))
    let outcome = Outcome(token: "", result: .crashed, reason: words)
    #expect(
      outcome.sentence("box", disk: nil) == "box crashed: \(line), and the instance was removed")
  }
}
