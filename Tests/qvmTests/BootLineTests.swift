import QVMControl
import Synchronization
import Testing

@testable import qvm

@Suite struct BootLineTests {
  private func look(_ words: String, seconds: Int = 72) throws -> BootProgress.Look {
    BootProgress.Look(name: try InstanceName("box"), seconds: seconds, lastWords: words)
  }

  @Test func `the line has the time and the last words, as wide as the terminal at most`() throws {
    let whole = "qvm: box boots, 1:12  Starting sshd."
    #expect(BootLine.text(try look("Starting sshd."), columns: 79) == whole)
    #expect(BootLine.text(try look("Starting sshd."), columns: 20) == String(whole.prefix(20)))
    #expect(BootLine.text(try look("漢字漢字"), columns: 27) == "qvm: box boots, 1:12  漢字")
    #expect(!BootLine.text(try look("a\u{1B}[2J"), columns: 79).contains("\u{1B}"))
  }

  @Test func `it is drawn over the last one, and removed once`() throws {
    final class Written: Sendable { let text = Mutex("") }
    let written = Written()
    var text: String { written.text.withLock { $0 } }
    let line = BootLine(width: { 30 }, write: { text in written.text.withLock { $0 += text } })
    line.show(nil)
    #expect(text.isEmpty)
    line.show(try look("a"))
    line.show(try look("b"))
    line.show(nil)
    line.show(nil)
    #expect(
      text
        == "\r\u{1B}[Kqvm: box boots, 1:12  a\r\u{1B}[Kqvm: box boots, 1:12  b\r\u{1B}[K")
  }
}
