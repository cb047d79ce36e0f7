import TestSupport
import Testing

@testable import QVMControl

@Suite struct LogFileTests {
  private let folder: TemporaryFolder
  private let log: LogFile

  init() throws {
    folder = try TemporaryFolder()
    log = LogFile("\(folder.path)/log")
  }

  /// Lines of 16 bytes that tell their own places, for so many bytes.
  private func write(_ size: Int) throws {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(size)
    for number in 0..<size / 16 {
      let digits = String(number)
      bytes += String(repeating: "0", count: 15 - digits.count).utf8
      bytes += digits.utf8
      bytes.append(0x0A)
    }
    try Files.write(bytes, to: log.path)
  }

  @Test func `a log within its bounds stays as it is`() throws {
    try write(LogFile.most)
    log.giveBack()
    try log.shorten()
    let part = try log.read(from: 0)
    #expect(part.bytes.count == LogFile.most && part.skipped == 0 && part.end == LogFile.most)
  }

  @Test func `a log that grew beyond them loses its beginning, and what is left keeps its place`()
    throws
  {
    let size = LogFile.most + (1 << 20)
    try write(size)
    log.giveBack()
    let part = try log.read(from: 0)
    #expect(part.skipped + part.bytes.count == size)
    #expect(part.end == size)
    #expect(part.bytes.count >= LogFile.kept && part.bytes.count < LogFile.kept + (1 << 17))
    #expect(Files.information(log.path).map { $0.allocated < LogFile.kept + (1 << 18) } == true)
    // A reader that counts goes on where it was.
    #expect(try log.read(from: size - 16).bytes == Array(part.bytes.suffix(16)))
    #expect(try log.read(from: size) == LogFile.Part(bytes: [], skipped: 0, end: size))
    // Another time there is nothing to be done, although the file is as long as before.
    log.giveBack()
    #expect(try log.read(from: 0) == part)
  }

  @Test func `between two boots it becomes short, and begins with a line`() throws {
    let size = LogFile.most + 16
    try write(size)
    let removed = try log.shorten()
    let part = try log.read(from: 0)
    #expect(removed == size - part.bytes.count)
    #expect(part.skipped == 0)
    #expect(part.bytes.count <= LogFile.kept && part.bytes.count > LogFile.kept - 32)
    #expect(part.bytes.count % 16 == 0, "it begins within a line")
    #expect(Files.information(log.path)?.mode == 0o600)
  }

  @Test func `a part between two places has what is left of it`() throws {
    try write(160)
    #expect(try log.read(from: 16, to: 48).bytes.count == 32)
    // What was before the log's own beginning is told as missing.
    let cut = try log.read(from: -5, to: 16)
    #expect(cut.bytes.count == 16 && cut.skipped == 5 && cut.end == 16)
    #expect(try log.read(from: 64, to: 64).bytes == [])
  }

  @Test(arguments: [
    ("a\nb\nc\n", 2, "b\nc\n"), ("a\nb\nc", 2, "b\nc"), ("a\n", 1, "a\n"), ("a\n\n", 1, "\n"),
    ("a\nb", 5, "a\nb"), ("", 3, ""), ("a\nb\n", 0, ""),
  ])
  func `the last lines are those at the end`(text: String, count: Int, last: String) {
    let part = LogFile.Part(bytes: Array(text.utf8), skipped: 7, end: 99)
    let lines = part.lastLines(count)
    #expect(lines.bytes == Array(last.utf8))
    // That the beginning is lost matters where it would have been shown.
    #expect(lines.skipped == (last == text ? 7 : 0))
    #expect(lines.end == 99)
  }

  @Test func `one that isn't there is no trouble`() throws {
    log.giveBack()
    try log.shorten()
    #expect(!Files.exists(log.path))
  }
}
