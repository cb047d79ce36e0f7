import Foundation
import QMPClient
import TestSupport
import Testing

@testable import QVMControl

@Suite struct TarWriterTests {
  private typealias Fixtures = ArchiveFixtures

  let folder: TemporaryFolder
  private var source: String { folder.path + "/source" }
  private var archive: String { folder.path + "/a.tar" }

  init() throws {
    folder = try TemporaryFolder()
    try Fixtures.makeFolder(source)
  }

  /// The names of the members, as text.
  private func names() throws -> [String] {
    try Fixtures.members(archive).map { String(decoding: $0.member.name, as: UTF8.self) }
  }

  private func make(_ files: String...) throws {
    for file in files {
      try Fixtures.makeFolder(Files.parent(of: "\(source)/\(file)"))
      try Fixtures.makeFile("\(source)/\(file)")
    }
  }

  // MARK: - What is taken

  @Test func `the caller names the top, or leaves it out`() throws {
    try make("a", "d/b")
    try Fixtures.write(source, as: "x/y/", to: archive)
    #expect(try names() == ["x/y/", "x/y/a", "x/y/d/", "x/y/d/b"])
    try Fixtures.write(source, as: "", to: archive)
    #expect(try names() == ["a", "d/", "d/b"])
    try Fixtures.write("\(source)/d/b", as: "file", to: archive)
    #expect(try names() == ["file"])
    try Fixtures.write("\(source)/d/.", as: "z", to: archive)
    #expect(try names() == ["z/", "z/b"])
  }

  @Test func `a link at the top is a link, or what it leads to`() throws {
    try make("d/b")
    try Files.link("d", at: "\(source)/l")
    try Fixtures.write("\(source)/l", as: "l", to: archive)
    #expect(try Fixtures.members(archive).map(\.member.kind) == [.link(target: Array("d".utf8))])
    var options = TarWriter.Options()
    options.followsTopLink = true
    try Fixtures.write("\(source)/l", as: "l", to: archive, options: options)
    #expect(try names() == ["l/", "l/b"])
  }

  @Test func `a path that isn't there is an error`() throws {
    let path = "\(source)/missing"
    #expect(throws: FileError(verb: "read", path: path, cause: .nothingThere)) {
      try Fixtures.write(path, to: archive)
    }
  }

  @Test(arguments: [
    (["*.o"], ["a.c", "d/", "d/c", "d/e/"]), (["d"], ["a.c", "a.o"]),
    (["d/*.o"], ["a.c", "a.o", "d/", "d/c", "d/e/", "d/e/c.o"]),
    (["/a.*"], ["d/", "d/b.o", "d/c", "d/e/", "d/e/c.o"]),
    (["e/", "c/"], ["a.c", "a.o", "d/", "d/b.o", "d/c"]), (["?.[co]"], ["d/", "d/c", "d/e/"]),
  ])
  func `a pattern leaves entries out`(patterns: [String], left: [String]) throws {
    try make("a.c", "a.o", "d/b.o", "d/c", "d/e/c.o")
    var options = TarWriter.Options()
    options.excluded = patterns.map { FilePattern($0) }
    try Fixtures.write(source, as: "", to: archive, options: options)
    #expect(try names() == left)
  }

  @Test func `a list of paths takes those, with the folders that lead there`() throws {
    try make("a", "d/b", "d/c", "d.x", "w/1", "w/2/3")
    var options = TarWriter.Options()
    options.selection = try PathSelection(
      ["d/c", "./d.x", "w/", "w/1", "gone/x", "d/gone", "d/c"].map { Array($0.utf8) })
    let summary = try Fixtures.write(source, as: "t", to: archive, options: options)
    #expect(try names() == ["t/", "t/d/", "t/d/c", "t/d.x", "t/w/", "t/w/1", "t/w/2/", "t/w/2/3"])
    #expect(
      summary.remarks == ["t/d/gone", "t/gone"].map { ArchiveRemark(Array($0.utf8), .vanished) })
    options.selection = try PathSelection([])
    try Fixtures.write(source, as: "t", to: archive, options: options)
    #expect(try names() == ["t/"])
  }

  @Test(arguments: ["", "/a", "a/../b", "..", ".", "a\0b"])
  func `a path that leads out is an error`(
    path: String
  ) {
    #expect(throws: TarError.badSelection(path)) { _ = try PathSelection([Array(path.utf8)]) }
  }

  @Test func `a list doesn't lead through a link`() throws {
    try make("d/b")
    try Files.link("d", at: "\(source)/l")
    var options = TarWriter.Options()
    options.selection = try PathSelection([Array("l/b".utf8)])
    let summary = try Fixtures.write(source, as: "", to: archive, options: options)
    #expect(try names() == ["l"])
    #expect(summary.links == 1)
  }

  @Test func `a socket and a pipe are left out by name`() throws {
    try make("a")
    try Fixtures.shell("mkfifo '\(source)/pipe'")
    let socket = try SocketCalls.listen("\(source)/socket")
    let summary = try Fixtures.write(source, as: "", to: archive)
    #expect(try names() == ["a"])
    #expect(summary.remarks == ["pipe", "socket"].map { ArchiveRemark(Array($0.utf8), .special) })
    _ = socket
  }

  // MARK: - What changes meanwhile

  /// Writes a tree whose first file is so big that the rest can be changed when its first part has
  /// been written, and is half read.
  private func writeChanging(_ change: @escaping () throws -> Void) throws -> TarWriter.Summary {
    try Fixtures.makeFile("\(source)/a", [UInt8](repeating: 1, count: 1 << 20))
    var isFirst = true
    let summary = try Fixtures.write(source, as: "", to: archive) { summary in
      if isFirst, summary.bytes > 0 {
        isFirst = false
        do { try change() } catch { Issue.record(error) }
      }
    }
    #expect(!isFirst)
    return summary
  }

  @Test func `a file that shrinks is filled up with zeros and reported`() throws {
    try make("b")
    let summary = try writeChanging { try Files.setSize(600_000, of: "\(source)/a") }
    #expect(
      summary.remarks == [ArchiveRemark(Array("a".utf8), .shrunk(missing: (1 << 20) - 600_000))])
    let found = try Fixtures.members(archive)
    #expect(found.count == 2)
    let zeros = [UInt8](repeating: 0, count: (1 << 20) - 600_000)
    #expect(found[0].contents == [UInt8](repeating: 1, count: 600_000) + zeros)
  }

  @Test func `a file that grows is cut and reported`() throws {
    try make("b")
    let summary = try writeChanging { try Files.setSize(2 << 20, of: "\(source)/a") }
    #expect(summary.remarks == [ArchiveRemark(Array("a".utf8), .grown)])
    let found = try Fixtures.members(archive)
    #expect(found.count == 2)
    #expect(found[0].contents == [UInt8](repeating: 1, count: 1 << 20))
  }

  @Test func `a file that is overwritten is reported`() throws {
    let summary = try writeChanging {
      try Fixtures.shell("printf x | dd of='\(source)/a' conv=notrunc")
    }
    #expect(summary.remarks == [ArchiveRemark(Array("a".utf8), .changed)])
  }

  @Test func `what vanishes is reported`() throws {
    try make("b", "d/c")
    try Files.link("x", at: "\(source)/l")
    let summary = try writeChanging { try Fixtures.shell("cd '\(source)' && rm -r b d l") }
    #expect(summary.remarks == ["b", "d", "l"].map { ArchiveRemark(Array($0.utf8), .vanished) })
    #expect(try names() == ["a"])
  }

  @Test func `a folder that becomes a link doesn't lead out`() throws {
    try make("d/c")
    try Fixtures.makeFolder("\(folder.path)/secret")
    try Fixtures.makeFile("\(folder.path)/secret/s")
    let summary = try writeChanging {
      try Fixtures.shell("cd '\(source)' && rm -r d && ln -s ../secret d")
    }
    #expect(try names() == ["a"])
    #expect(summary.remarks.map(\.name) == [Array("d".utf8)])
    #expect(summary.remarks.allSatisfy { $0.isLoss })
  }

  @Test(.enabled(if: geteuid() != 0)) func `what can't be opened is reported`() throws {
    try make("a", "b")
    try Files.setMode(0, of: "\(source)/a")
    let summary = try Fixtures.write(source, as: "", to: archive)
    #expect(
      summary.remarks
        == [ArchiveRemark(Array("a".utf8), .failed(SystemError(call: "open", code: EACCES)))])
    #expect(try names() == ["b"])
  }

  // MARK: - Fields

  @Test(arguments: [(-1, 0), (0, 0), (1 << 31, 1 << 31), (1 << 33, (1 << 33) - 1)])
  func `a time out of range becomes the nearest one`(seconds: Int, written: Int) throws {
    try make("a")
    try FolderHandle(path: source).setTime(FileTime(seconds: seconds), of: Array("a".utf8))
    let kept = try #require(Files.information("\(source)/a")).modified
    try Fixtures.write(source, as: "", to: archive)
    let found = try Fixtures.members(archive).first?.member.modified
    // Some file systems don't have such times either.
    #expect(found == FileTime(seconds: kept == seconds ? written : max(0, kept)))
  }

  @Test func `a file of 8 GiB has a size of twelve digits, one of 64 GiB is left out`() throws {
    try Files.setSize(1 << 36, of: "\(source)/a")
    try Files.setSize((1 << 36) - 1, of: "\(source)/b")
    let stop = try StopSign()
    var writer = TarWriter(to: try Fixtures.output(archive), stop: stop) { _ in stop.raise() }
    #expect(throws: CancellationError.self) { try writer.add(source, as: []) }
    #expect(writer.summary.remarks == [ArchiveRemark(Array("a".utf8), .tooBig)])
    var reader = TarReader(from: try Files.openForReading(archive), stop: try StopSign())
    let member = try #require(try reader.next())
    #expect(member.size == (1 << 36) - 1)
    let field = try Files.read(archive, limit: 1 << 20)[124..<136]
    #expect(field.elementsEqual(Array("777777777777".utf8)))
  }

  @Test func `the owner is 0, or what the caller says`() throws {
    try make("a")
    try Fixtures.write(source, as: "", to: archive)
    #expect(try Fixtures.members(archive).map { [$0.member.owner, $0.member.group] } == [[0, 0]])
    var options = TarWriter.Options()
    (options.owner, options.group) = (1001, 20)
    try Fixtures.write(source, as: "", to: archive, options: options)
    #expect(
      try Fixtures.members(archive).map { [$0.member.owner, $0.member.group] } == [[1001, 20]])
  }

  @Test func `large holes are reported`() throws {
    try Files.setSize(70 << 20, of: "\(source)/a")
    let summary = try Fixtures.write(source, as: "", to: archive)
    #expect(summary.remarks == [ArchiveRemark(Array("a".utf8), .holes(70 << 20))])
    #expect(summary.bytes == 70 << 20)
  }

  // MARK: - The other end

  @Test(.timeLimit(.minutes(1))) func `a raised sign ends the wait for a reader that doesn't read`()
    throws
  {
    try Fixtures.makeFile("\(source)/a", [UInt8](repeating: 1, count: 4 << 20))
    let (ours, theirs) = try SocketCalls.pair()
    let stop = try StopSign()
    // Raised when something has arrived that is not read.
    let isStarted = startThread {
      var entry = pollfd(fd: theirs.number, events: Int16(POLLIN), revents: 0)
      _ = poll(&entry, 1, 10_000)
      stop.raise()
    }
    #expect(isStarted)
    var writer = TarWriter(to: ours, stop: stop)
    #expect(throws: CancellationError.self) { try writer.add(source, as: []) }
    _ = theirs
  }

  @Test func `the end of the reader is an error`() throws {
    _ = signal(SIGPIPE, SIG_IGN)
    try make("a")
    let (ours, theirs) = try SocketCalls.pair()
    _ = shutdown(theirs.number, Int32(SHUT_RDWR))
    var writer = TarWriter(to: ours, stop: try StopSign())
    try writer.add(source, as: [])
    #expect(throws: SystemError.brokenPipe) { _ = try writer.finish() }
  }
}
