import Foundation
import QMPClient
import TestSupport
import Testing

@testable import QVMControl

@Suite struct ArchiveTests {
  /// Writes a tar archive with Python: tar itself refuses to make some of these.
  ///
  /// The members are Python expressions that add them with `file`, `link` and `special`.
  private func archive(_ members: [String], at path: String) throws {
    let script = """
      import io, sys, tarfile
      archive = tarfile.open(sys.argv[1], "w")
      def file(name, content=b"x", mode=0o644):
          info = tarfile.TarInfo(name)
          info.size, info.mode = len(content), mode
          archive.addfile(info, io.BytesIO(content))
      def link(name, target, kind=tarfile.SYMTYPE):
          info = tarfile.TarInfo(name)
          info.type, info.linkname = kind, target
          archive.addfile(info)
      def special(name, kind, mode=0o755):
          info = tarfile.TarInfo(name)
          info.type, info.mode = kind, mode
          archive.addfile(info)
      HARD, DIR, FIFO, CHR = tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE
      BLK = tarfile.BLKTYPE
      def sparse(name, size):
          info = tarfile.TarInfo(name)
          info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0",
                              "GNU.sparse.name": name, "GNU.sparse.realsize": str(size)}
          content = b"1\\n%d\\n0\\n" % size
          content += bytes(512 - len(content))
          info.size = len(content)
          archive.addfile(info, io.BytesIO(content))
      def claim(name, size):
          info = tarfile.TarInfo(name)
          info.size = size
          archive.addfile(info)
      def raw(content):
          archive.fileobj.write(content)
          archive.offset += len(content)
      def header(name, kind=tarfile.REGTYPE, size=0):
          info = tarfile.TarInfo(name)
          info.type, info.size = kind, size
          return info.tobuf(tarfile.USTAR_FORMAT)
      def sealed(block):
          block = block[:148] + b" " * 8 + block[156:]
          return block[:148] + b"%06o\\0 " % sum(block) + block[156:]
      def old(name, kind=b"0"):
          return sealed(header(name, kind)[:257] + bytes(255))
      def attributes(record):
          return header("./pax", b"x", len(record)) + record + bytes(-len(record) % 512)
      program = open("/usr/bin/true", "rb").read()
      \(members.joined(separator: "\n"))
      archive.close()
      """
    try ReleaseFixture.run(try Tool.python.url.path, ["-c", script, path])
  }

  /// Unpacks an archive of these members and looks at the result.
  private func unpacking(
    _ members: [String], requiring required: [Archive.Member] = [],
    _ look: (_ folder: String, _ outside: String) throws -> Void
  ) async throws {
    let outside = FileManager.default.temporaryDirectory.path + "/qvm-archive-\(UUID())"
    try Files.makeFolder(outside)
    defer { try? Files.removeTree(outside) }
    let tar = "\(outside)/test.tar"
    try archive(members, at: tar)
    let loop = try #require(EventLoop.shared)
    let lock = try #require(try FileLock.attempt("\(outside)/lock"))
    let archive = Archive(path: tar, name: "test.tar")
    let folder = "\(outside)/folder"
    do {
      try await withTaskExecutorPreference(loop) {
        try await archive.unpack(into: folder, requiring: required, holding: lock, on: loop)
      }
    } catch {
      #expect(!Files.exists(folder), "a refused archive leaves nothing behind")
      #expect(
        Files.list(outside) == ["lock", "test.tar"], "a refused archive writes nowhere else")
      throw error
    }
    try look(folder, outside)
  }

  private static let program = Archive.Member(path: "bin/qemu") { try ProgramFile.problem($0) }

  @Test(arguments: ["./", "qemu-1.0/"])
  func `the first part of each name is left out`(top: String) async throws {
    try await unpacking(
      [
        #"special("\#(top)", DIR)"#, #"special("\#(top)bin", DIR)"#,
        #"file("\#(top)bin/qemu", program, 0o700)"#,
        #"file("\#(top)share/qemu/uefi.fd", b"x", 0o600)"#,
      ], requiring: [Self.program]
    ) { folder, _ in
      #expect(Files.information("\(folder)/bin/qemu")?.mode == 0o755)
      #expect(Files.information("\(folder)/share/qemu/uefi.fd")?.mode == 0o644)
      #expect(Files.information("\(folder)/share")?.mode == 0o755)
    }
  }

  @Test func `an archive without a first part lacks its members`() async throws {
    await #expect(throws: ArchiveError.missingMember(name: "test.tar", member: "bin/qemu")) {
      try await unpacking(
        [#"file("bin/qemu", program, 0o755)"#], requiring: [Self.program]
      ) { _, _ in }
    }
  }

  @Test func `a program for another machine is refused`() async throws {
    await #expect {
      try await unpacking(
        [#"file("./bin/qemu", program[:18] + b"\x02\x00" + program[20:], 0o755)"#],
        requiring: [Self.program]
      ) { _, _ in }
    } throws: { error in
      guard case ArchiveError.badMember(_, "bin/qemu", let why) = error else { return false }
      return why.hasPrefix("is a program for another")
    }
  }

  @Test func `set-user-id and group-writable modes do not survive`() async throws {
    try await unpacking([
      #"file("./bin/qemu", program, 0o6777)"#, #"file("./data", b"x", 0o7666)"#,
      #"special("./folder", DIR, 0o1777)"#,
    ]) { folder, _ in
      #expect(Files.information("\(folder)/bin/qemu")?.mode == 0o755)
      #expect(Files.information("\(folder)/data")?.mode == 0o644)
      #expect(Files.information("\(folder)/folder")?.mode == 0o755)
    }
  }

  @Test func `a link to a member stays`() async throws {
    try await unpacking([#"file("./a/b")"#, #"link("./a/c", "b")"#, #"link("./d", "a/b")"#]) {
      folder, _ in
      #expect(Files.resolved("\(folder)/d") == Files.resolved("\(folder)/a/b"))
    }
  }

  @Test(arguments: [
    [#"link("./passwd", "/etc/passwd")"#],
    [#"link("./up", "..")"#],
    [#"link("./up", "../lock")"#],
    [#"link("./dangling", "nowhere")"#],
    [#"special("./fifo", FIFO)"#],
    [#"link("./a", "..")"#, #"file("./a/escaped")"#],
    [#"link("./a", "/tmp")"#, #"file("./a/qvm-escaped")"#],
  ])
  func `what leads out of the folder, or is no file, is refused`(members: [String]) async throws {
    await #expect(throws: ArchiveError.self) {
      try await unpacking(members) { _, _ in }
    }
    #expect(!Files.exists("/tmp/qvm-escaped"))
  }

  /// What only a superuser's tar makes, and what no tar should: it doesn't get to see these.
  @Test(arguments: [
    (#"special("./dev/null", CHR)"#, "./dev/null"), (#"special("./dev/sda", BLK)"#, "./dev/sda"),
    (#"special("./fifo", FIFO)"#, "./fifo"), (#"special("./strange", b"S")"#, "./strange"),
    (#"file("./../escaped")"#, "./../escaped"), (#"file("./a/../../b")"#, "./a/../../b"),
    (#"file("/tmp/qvm-escaped")"#, "/tmp/qvm-escaped"),
  ])
  func `a device, or a name that leads elsewhere, is refused before anything is made`(
    member: String, name: String
  ) async throws {
    await #expect(throws: ArchiveError.unsafeMember(name: "test.tar", member: name)) {
      try await unpacking([#"file("./first")"#, member]) { _, _ in }
    }
  }

  @Test func `more entries than any release has are refused before anything is made`() async throws
  {
    await #expect(
      throws: ArchiveError.tooMuch(name: "test.tar", limit: "10000 files and folders")
    ) {
      try await unpacking([#"for number in range(10001): file(f"./{number}", b"")"#]) { _, _ in }
    }
  }

  @Test(arguments: [
    #"archive.format = tarfile.GNU_FORMAT; claim("./bin/qemu", 1 << 40)"#,
    #"claim("./bin/qemu", 5 << 30)"#,
  ])
  func `more bytes than any release has are refused before anything is made`(
    member: String
  ) async throws {
    await #expect(throws: ArchiveError.tooMuch(name: "test.tar", limit: "4.2 GB")) {
      try await unpacking([member]) { _, _ in }
    }
  }

  /// Where tar and qvm might not find the same headers.
  @Test(arguments: [
    (#"raw(old("/tmp/qvm-escaped"))"#, 1024), (#"raw(old("./fifo", FIFO))"#, 1024),
    (#"raw(bytes(512) + header("./hidden"))"#, 1536),
    (#"raw(attributes(b"12 size=512\n") + header("./a") + bytes(512))"#, 1024),
    (#"raw(attributes(b"99 path=x\n") + header("./a"))"#, 1024),
    (#"raw(header("./hard", HARD, 512) + header("./hidden"))"#, 1024),
    (#"raw(header("./soft", tarfile.SYMTYPE, 512) + header("./hidden"))"#, 1024),
    (#"raw(header("./folder", DIR, 512) + header("./hidden"))"#, 1024),
    (#"raw(b"x" + header("./a")[1:])"#, 1024),
    (#"raw(sealed(header("./a")[:124] + b"-0000001000\0" + header("./a")[136:]))"#, 1024),
  ])
  func `what programs read differently is refused before anything is made`(
    member: String, offset: Int
  ) async throws {
    await #expect(throws: ArchiveError.unclear(name: "test.tar", offset: offset)) {
      try await unpacking([#"file("./first")"#, member]) { _, _ in }
    }
  }

  @Test func `attributes that don't move anything pass`() async throws {
    let long = String(repeating: "n", count: 150)
    try await unpacking([#"file("./\#(long)")"#, #"file("./ä")"#]) { folder, _ in
      #expect(Files.list(folder).count == 2)
    }
  }

  @Test func `a file that is nearly all holes is refused for its length`() async throws {
    await #expect(throws: ArchiveError.tooMuch(name: "test.tar", limit: "4.2 GB")) {
      try await unpacking([#"sparse("./bin/qemu", 1 << 40)"#]) { _, _ in }
    }
  }

  @Test func `an archive of nothing lacks its members`() async throws {
    await #expect(throws: ArchiveError.missingMember(name: "test.tar", member: "bin/qemu")) {
      try await unpacking([#"special("./", DIR)"#], requiring: [Self.program]) { _, _ in }
    }
  }

  // tar leaves these out, or puts them inside, or stops: any of it will do.
  @Test(arguments: [
    [#"file("./../../escaped")"#], [#"file("x/../../escaped")"#], [#"file("//tmp/qvm-escaped")"#],
    [#"link("./hard", "../../lock", HARD)"#], [#"link("./hard", "/etc/passwd", HARD)"#],
  ])
  func `a name that leads out of the folder writes nothing there`(members: [String]) async throws {
    let before = Files.information("/etc/passwd")?.mode
    do {
      try await unpacking(members) { folder, outside in
        #expect(Files.list(outside) == ["folder", "lock", "test.tar"])
        #expect(Files.information("\(outside)/lock")?.size == 0)
      }
    } catch is ArchiveError {}
    #expect(!Files.exists("/tmp/qvm-escaped"))
    #expect(Files.information("/etc/passwd")?.mode == before)
  }

  @Test(arguments: ["<html>Unicorn!</html>", "", "\u{1F}\u{8B}\u{8}"])
  func `what is no tar archive is refused before tar sees it`(text: String) async throws {
    let path = FileManager.default.temporaryDirectory.path + "/qvm-no-archive-\(UUID())"
    defer { try? Files.remove(path) }
    try Files.write(Array(text.utf8), to: path)
    let loop = try #require(EventLoop.shared)
    let lock = try #require(try FileLock.attempt(path))
    let archive = Archive(path: path, name: "test.tar")
    await #expect {
      try await withTaskExecutorPreference(loop) {
        try await archive.unpack(
          into: "\(path)-folder", requiring: [], holding: lock, on: loop)
      }
    } throws: { error in
      guard case ArchiveError.notTar = error else { return false }
      return true
    }
    #expect(!Files.exists("\(path)-folder"))
  }

  @Test func `a truncated archive is refused in tar's own words`() async throws {
    let path = FileManager.default.temporaryDirectory.path + "/qvm-short-\(UUID())"
    defer { try? Files.remove(path) }
    try archive([#"file("./bin/qemu", b"x" * 100000)"#], at: path)
    try Files.setSize(50_000, of: path)
    let loop = try #require(EventLoop.shared)
    let lock = try #require(try FileLock.attempt(path))
    await #expect {
      try await withTaskExecutorPreference(loop) {
        try await Archive(path: path, name: "test.tar").unpack(
          into: "\(path)-folder", requiring: [], holding: lock, on: loop)
      }
    } throws: { error in
      guard case ArchiveError.cannotUnpack(_, let why) = error else { return false }
      return why.contains("tar")
    }
    #expect(!Files.exists("\(path)-folder"))
  }
}
