import QVMControl
import Synchronization
import Testing

@testable import qvm

@Suite struct ProgressDisplayTests {
  private final class Written: Sendable {
    let text = Mutex("")
  }

  private let start = SuspendingClock.now
  private let written = Written()

  private func display(isLive: Bool, width: Int = 80) -> ProgressDisplay {
    ProgressDisplay(
      isLive: isLive, width: { width },
      write: { [written] text in written.text.withLock { $0 += text } })
  }

  private var text: String { written.text.withLock { $0 } }

  private func after(_ milliseconds: Int) -> SuspendingClock.Instant {
    start.advanced(by: .milliseconds(milliseconds))
  }

  @Test func `off a terminal there is a line at the start and one at the end`() {
    let display = display(isLive: false)
    display.take(.began(done: 0, total: 2_000_000), of: "a.tar", at: start)
    for step in 1...20 {
      display.take(.advanced(to: step * 100_000), of: "a.tar", at: after(step * 100))
    }
    display.take(.ended(complete: true), of: "a.tar", at: after(7000))

    #expect(text == "downloading a.tar (2.0 MB)\na.tar downloaded, 2.0 MB in 0:07\n")
  }

  @Test func `a resumed and an interrupted download say so`() {
    let display = display(isLive: false)
    display.take(.began(done: 500_000, total: 2_000_000), of: "a.tar", at: start)
    display.take(.advanced(to: 600_000), of: "a.tar", at: after(100))
    display.take(.ended(complete: false), of: "a.tar", at: after(200))

    #expect(
      text
        == "downloading a.tar (2.0 MB), resuming after 500 kB\ndownload of a.tar stopped after 600 kB\n"
    )
  }

  @Test func `a download that went on tells how much of it came now`() {
    let display = display(isLive: false)
    display.take(.began(done: 500_000, total: 2_000_000), of: "a", at: start)
    display.take(.advanced(to: 2_000_000), of: "a", at: after(2000))
    display.take(.ended(complete: true), of: "a", at: after(2000))
    display.take(.began(done: 500_000, total: 2_000_000), of: "b", at: start)
    display.take(.advanced(to: 0), of: "b", at: after(100))
    display.take(.advanced(to: 2_000_000), of: "b", at: after(2000))
    display.take(.ended(complete: true), of: "b", at: after(2000))
    display.take(.began(done: 2_000_000, total: 2_000_000), of: "c", at: start)
    display.take(.ended(complete: true), of: "c", at: after(1000))
    #expect(
      text.split(separator: "\n").filter { !$0.contains("resuming") } == [
        "a downloaded, the last 1.5 MB of 2.0 MB in 0:02", "b downloaded, 2.0 MB in 0:02",
        "c downloaded, 2.0 MB",
      ])
  }

  @Test func `another process's download is not reported as one's own`() {
    let display = display(isLive: false)
    display.take(.followed(done: 500_000, total: 2_000_000), of: "a", at: start)
    display.take(.advanced(to: 2_000_000), of: "a", at: after(2000))
    display.take(.ended(complete: true), of: "a", at: after(2000))
    #expect(text == "a downloaded by another qvm, 2.0 MB\n")
  }

  @Test func `on a terminal the lines are redrawn in their place`() {
    let display = display(isLive: true)
    display.take(.began(done: 0, total: 2_000_000), of: "a", at: start)
    display.take(.began(done: 0, total: nil), of: "b", at: start)
    display.take(.advanced(to: 1_000_000), of: "a", at: after(1000))
    display.take(.ended(complete: true), of: "b", at: after(1000))

    #expect(
      text == """
        a  0%  0 B of 2.0 MB
        \u{1B}[1A\r\u{1B}[Ja  0%  0 B of 2.0 MB
        b  0 B
        \u{1B}[2A\r\u{1B}[Ja  50%  1.0 MB of 2.0 MB  1.0 MB/s  0:01 left
        b  0 B
        \u{1B}[2A\r\u{1B}[Jb downloaded, 0 B in 0:01
        a  50%  1.0 MB of 2.0 MB  1.0 MB/s  0:01 left

        """)
  }

  @Test func `a line is redrawn ten times a second at most`() {
    let display = display(isLive: true)
    display.take(.began(done: 0, total: 1_000_000), of: "a", at: start)
    for step in 1...1000 {
      display.take(.advanced(to: step * 1000), of: "a", at: after(step))
    }
    #expect(text.count { $0 == "\n" } == 11)
  }

  @Test func `a window that becomes narrower has no remains of the wider lines`() {
    let columns = Mutex(60)
    let display = ProgressDisplay(
      isLive: true, width: { columns.withLock { $0 } },
      write: { [written] text in written.text.withLock { $0 += text } })
    display.take(.began(done: 0, total: 1_000_000), of: "netbsd-10.1-x86-64.qcow2", at: start)
    display.take(.advanced(to: 500_000), of: "netbsd-10.1-x86-64.qcow2", at: after(1000))
    written.text.withLock { $0 = "" }
    columns.withLock { $0 = 30 }
    display.take(.advanced(to: 600_000), of: "netbsd-10.1-x86-64.qcow2", at: after(2000))
    // The line had 59 columns at most, and takes two rows of the window now.
    #expect(text.hasPrefix("\u{1B}[2A\r\u{1B}[J"))
    #expect(text.split(separator: "J").last.map { $0.count <= 30 } == true)
  }

  @Test func `a name or a notice with control characters does not act`() {
    let display = display(isLive: true)
    display.take(.began(done: 0, total: nil), of: "a\u{1B}c\nb", at: start)
    display.take(.advanced(to: 1), of: "a\u{1B}c\nb", at: after(1000))
    display.notice("x\u{1B}c")
    let line = #"a\u{1b}c\nb"#
    #expect(
      text.hasPrefix("\(line)  0 B\n\u{1B}[1A\r\u{1B}[J\(line)  1 B"), "\(text.debugDescription)")
    #expect(text.contains(#"qvm: x\u{1b}c"#))
    #expect(!text.contains("\u{1B}c"))
  }

  @Test func `a notice goes above the lines`() {
    let display = display(isLive: true)
    display.take(.began(done: 0, total: nil), of: "a", at: start)
    display.notice("using the other one")
    #expect(text == "a  0 B\n\u{1B}[1A\r\u{1B}[Jqvm: using the other one\na  0 B\n")
  }

  @Test(arguments: 1...100)
  func `no line is wider than the terminal`(columns: Int) {
    var line = ProgressLine(
      label: "freebsd-14.2-x86-64.qcow2", done: 0, total: 521_142_272, at: start)
    line.advance(to: 123_456_789, at: after(12_345))
    let text = line.text(columns: columns)
    #expect(text.count <= columns)
    if columns >= 3 { #expect(text.contains("23%")) }
  }

  @Test(arguments: [(0, "0:00"), (59, "0:59"), (61, "1:01"), (3599, "59:59"), (3723, "1:02:03")])
  func `a time is told as a clock does`(seconds: Int, text: String) {
    #expect(ProgressLine.time(seconds) == text)
  }
}
