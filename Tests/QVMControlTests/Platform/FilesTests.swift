import Foundation
import QMPClient
import TestSupport
import Testing

@testable import QVMControl

@Suite struct FilesTests {
  private let folder: TemporaryFolder
  private var root: String { folder.path }

  init() throws { folder = try TemporaryFolder() }

  // MARK: - Writing

  @Test func `a file is replaced as a whole, for this user only, and nothing else is left`() throws
  {
    try Files.write(Array("old and long".utf8), to: "\(root)/f")
    try Files.write(Array("new".utf8), to: "\(root)/f")
    #expect(Files.text("\(root)/f") == "new")
    #expect(Files.list(root) == ["f"])
    #expect(Files.information("\(root)/f")?.mode == 0o600)
    try Files.write([], to: "\(root)/g", mode: 0o444)
    #expect(Files.information("\(root)/g")?.mode == 0o444)
  }

  @Test func `a link in a file's place is replaced, not followed`() throws {
    try Files.write(Array("keep".utf8), to: "\(root)/target")
    try Files.link("\(root)/target", at: "\(root)/f")
    try Files.write(Array("new".utf8), to: "\(root)/f")
    #expect(Files.information("\(root)/f")?.kind == .file)
    #expect(Files.text("\(root)/target") == "keep")
  }

  @Test func `a place that can't be written is an error that names the file, and nothing is left`()
    throws
  {
    try Files.write([], to: "\(root)/file")
    try Files.makeFolder("\(root)/taken/inside")
    let places = ["\(root)/missing/f", "\(root)/file/f", "\(root)/taken", "/proc/qvm/f"]
    for path in places {
      let error = #expect(throws: FileError.self) { try Files.write([1], to: path) }
      #expect(error?.message.contains(error?.path ?? "?") == true)
      #expect(error?.path.hasPrefix(Files.parent(of: path)) == true)
    }
    #expect(Files.list(root) == ["file", "taken"])
    #expect(Files.list("\(root)/taken") == ["inside"])
  }

  @Test func `a device that is full is an error, not a short file`() {
    let descriptor = try? Files.openForOutput("/dev/full", append: true)
    guard let descriptor else { return }
    #expect(Files.writeSome([1, 2, 3], to: descriptor.number) == -1)
    #expect(SystemError.last("write").isFull)
  }

  // MARK: - Reading

  @Test func `a file is read from an offset, and not beyond a limit`() throws {
    let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0) }
    try Files.write(bytes, to: "\(root)/f")
    #expect(try Files.read("\(root)/f") == bytes)
    #expect(try Files.read("\(root)/f", from: 99_999) == [bytes[99_999]])
    #expect(try Files.read("\(root)/f", from: 200_000) == [])
    #expect(throws: FileError.self) { try Files.read("\(root)/f", limit: 1000) }
    let error = #expect(throws: FileError.self) { try Files.read("\(root)/none") }
    #expect(error?.cause.isAbsent == true)
    #expect(error?.message == "cannot read \(root)/none: No such file or directory")
    #expect(Files.text("\(root)/none") == nil)
  }

  @Test func `a path tells what it names, without following a link`() throws {
    try Files.write([1, 2, 3], to: "\(root)/f")
    try Files.link("\(root)/f", at: "\(root)/link")
    try Files.link("\(root)/nothing", at: "\(root)/dangling")
    _ = try SocketCalls.listen("\(root)/socket")
    #expect(Files.information("\(root)/f")?.kind == .file)
    #expect(Files.information("\(root)/f")?.size == 3)
    #expect(Files.information("\(root)/f")?.owner == Host.userID)
    #expect(Files.information("\(root)/link")?.kind == .link)
    #expect(Files.information("\(root)/socket")?.kind == .socket)
    #expect(Files.information(root)?.kind == .folder)
    #expect(Files.exists("\(root)/dangling"))
    #expect(!Files.exists("\(root)/none"))
    #expect(Files.resolved("\(root)/link") == Files.resolved("\(root)/f"))
    #expect(Files.resolved("\(root)/dangling") == nil)
  }

  @Test func `a folder's names are sorted, and a missing folder has none`() throws {
    for name in ["b", "a", ".c", "é"] { try Files.write([], to: "\(root)/\(name)") }
    #expect(Files.list(root) == [".c", "a", "b", "é"])
    #expect(Files.list("\(root)/none") == [])
  }

  // MARK: - Folders

  @Test func `a folder is made with those above it, for this user only`() throws {
    try Files.makeFolder("\(root)/a/b/c")
    try Files.makeFolder("\(root)/a/b/c")
    for path in ["a", "a/b", "a/b/c"] {
      #expect(Files.information("\(root)/\(path)")?.mode == 0o700)
    }
    try Files.write([], to: "\(root)/file")
    #expect(throws: FileError.self) { try Files.makeFolder("\(root)/file") }
    #expect(throws: FileError.self) { try Files.makeFolder("\(root)/file/below") }
    try Files.link("\(root)/a", at: "\(root)/link")
    let error = #expect(throws: FileError.self) { try Files.makeFolder("\(root)/link") }
    #expect(error?.message == "cannot use \(root)/link: it is a symbolic link")
    // A link on the way is the user's own business.
    try Files.makeFolder("\(root)/link/b/d")
  }

  @Test func `a private folder is this user's own and closed, and no link`() throws {
    try Files.makeFolder("\(root)/open")
    try Files.setMode(0o755, of: "\(root)/open")
    try Files.makePrivateFolder("\(root)/open")
    #expect(Files.information("\(root)/open")?.mode == 0o700)
    try Files.link("\(root)/open", at: "\(root)/link")
    #expect(throws: FileError.self) { try Files.makePrivateFolder("\(root)/link") }
    try Files.write([], to: "\(root)/file")
    #expect(throws: FileError.self) { try Files.makePrivateFolder("\(root)/file") }
    if Host.userID != 0 { #expect(throws: FileError.self) { try Files.makePrivateFolder("/etc") } }
  }

  // MARK: - Removing

  @Test func `a tree is removed, and what its links lead to stays`() throws {
    try Files.makeFolder("\(root)/outside")
    try Files.write([1], to: "\(root)/outside/keep")
    try Files.makeFolder("\(root)/tree/deep/deeper")
    try Files.write([1], to: "\(root)/tree/deep/deeper/f")
    try Files.link("\(root)/outside", at: "\(root)/tree/deep/link")
    try Files.link("\(root)/nothing", at: "\(root)/tree/dangling")
    _ = try SocketCalls.listen("\(root)/tree/socket")
    try Files.setMode(0o500, of: "\(root)/tree/deep")
    try Files.removeTree("\(root)/tree")
    #expect(Files.list(root) == ["outside"])
    #expect(Files.list("\(root)/outside") == ["keep"])
    try Files.removeTree("\(root)/tree")
  }

  @Test func `a link instead of a tree is removed alone`() throws {
    try Files.makeFolder("\(root)/outside")
    try Files.write([1], to: "\(root)/outside/keep")
    try Files.link("\(root)/outside", at: "\(root)/link")
    try Files.removeTree("\(root)/link")
    #expect(Files.list("\(root)/outside") == ["keep"])
  }

  @Test func `removing what isn't there is no error`() throws {
    try Files.remove("\(root)/none")
    #expect(throws: FileError.self) { try Files.remove(root) }
  }

  // MARK: - Opening

  @Test func `a child's output never goes through a link`() throws {
    try Files.write(Array("keep".utf8), to: "\(root)/target")
    try Files.link("\(root)/target", at: "\(root)/log")
    #expect(throws: FileError.self) { try Files.openForOutput("\(root)/log", append: false) }
    #expect(Files.text("\(root)/target") == "keep")
  }

  @Test(arguments: [false, true])
  func `a child's output never goes to a file with another name`(append: Bool) throws {
    try Files.write(Array("keep".utf8), to: "\(root)/target")
    #expect(link("\(root)/target", "\(root)/log") == 0)
    let error = #expect(throws: FileError.self) {
      try Files.openForOutput("\(root)/log", append: append)
    }
    #expect(error?.message.contains("hard link") == true)
    #expect(Files.text("\(root)/target") == "keep")
    #expect(throws: FileError.self) { try Files.checkForOutput("\(root)/log") }
    try Files.checkForOutput("\(root)/none")
    #expect(!Files.exists("\(root)/none"))
  }

  @Test func `a pipe without a reader is refused as output at once`() throws {
    #expect(mkfifo("\(root)/log", 0o600) == 0)
    #expect(throws: FileError.self) { try Files.openForOutput("\(root)/log", append: true) }
  }

  @Test(.timeLimit(.minutes(1)))
  func `a file that is not regular is not read, and the attempt doesn't hang`() throws {
    #expect(mkfifo("\(root)/pipe", 0o600) == 0)
    let listener = try SocketCalls.listen("\(root)/socket")
    try Files.link("/dev/zero", at: "\(root)/device")
    for name in ["pipe", "socket", "device"] {
      let path = "\(root)/\(name)"
      let error = #expect(throws: FileError.self) { try Files.read(path) }
      #expect(error?.message == "cannot read \(path): it is not a regular file")
      #expect(error?.advice != nil)
      #expect(throws: FileError.self) { try Files.openForReading(path) }
    }
    #expect(try Files.head(of: "\(root)/pipe", count: 20).isEmpty)
    #expect(throws: FileError.self) { try Files.head(of: "\(root)/socket", count: 20) }
    // What has a folder in its place is told by the read itself, as ever.
    #expect(throws: FileError.self) { try Files.read(root) }
    #expect(Files.text("/proc/self/stat")?.isEmpty == false)
    _ = listener
  }

  @Test func `the room of a file's beginning is given back, and its bytes keep their places`()
    throws
  {
    let size = 1 << 20
    try Files.write([UInt8](repeating: 7, count: size), to: "\(root)/log")
    #expect(Files.firstByte(of: "\(root)/log", from: 0) == 0)
    #expect(Files.release(first: size / 2 + 1, of: "\(root)/log"))
    #expect(Files.firstByte(of: "\(root)/log", from: 0) == size / 2)
    #expect(Files.firstByte(of: "\(root)/log", from: size - 1) == size - 1)
    #expect(Files.firstByte(of: "\(root)/log", from: size + 1) == size + 1)
    let found = try #require(Files.information("\(root)/log"))
    #expect(found.size == size && found.allocated <= size / 2 + 4096)
    let end = try Files.read("\(root)/log", from: size / 2)
    #expect(end.count == size / 2 && end.allSatisfy { $0 == 7 })
    #expect(!Files.release(first: 10, of: "\(root)/log"), "less than a block")
  }

  @Test func `an output is emptied or appended to`() throws {
    for (append, text) in [(false, "a"), (true, "ab"), (false, "b")] {
      let output = try Files.openForOutput("\(root)/log", append: append)
      _ = Files.writeSome(Array(text.utf8.suffix(1))[...], to: output.number)
      #expect(Files.text("\(root)/log") == text)
    }
    #expect(Files.information("\(root)/log")?.mode == 0o600)
  }

  @Test(arguments: [
    ("/a/b", "/a", "b"), ("/a", "/", "a"), ("a", ".", "a"), ("/", "/", "file"),
  ])
  func `a path has a parent and a last name`(path: String, parent: String, last: String) {
    #expect(Files.parent(of: path) == parent)
    #expect(Files.lastName(of: path) == last)
  }
}
