import QMPClient
import TestSupport
import Testing

@testable import QVMControl

@Suite struct TarReaderTests {
  private typealias Fixtures = ArchiveFixtures

  let folder: TemporaryFolder
  private var archive: String { folder.path + "/a.tar" }

  init() throws { folder = try TemporaryFolder() }

  private func members(
    _ bytes: [UInt8]
  ) throws -> [(member: TarMember, contents: [UInt8])] {
    try Fixtures.makeFile(archive, bytes)
    return try Fixtures.members(archive)
  }

  @Test func `an archive without its end is an error wherever it ends`() throws {
    let whole =
      Fixtures.described("L", Array((String(repeating: "n", count: 150) + "\0").utf8))
      + Fixtures.file("short", String(repeating: "c", count: 600))
      + Fixtures.described("x", Array(Fixtures.pax("mtime", "1.5").utf8)) + Fixtures.file("b")
    #expect(try members(whole + Fixtures.end).count == 2)
    for count in stride(from: 256, through: whole.count, by: 256) {
      #expect(throws: TarError.truncated, "after \(count) bytes") {
        _ = try members(Array(whole.prefix(count)))
      }
    }
    #expect(try members([]).isEmpty)
    #expect(try members(Fixtures.end).isEmpty)
  }

  @Test func `a wrong checksum is an error`() throws {
    let whole = Fixtures.file("name") + Fixtures.end
    for index in [0, 99, 124, 150, 156, 257, 511] {
      var bytes = whole
      bytes[index] ^= 1
      #expect(throws: TarError.self, "byte \(index)") { _ = try members(bytes) }
    }
  }

  @Test func `a checksum of signed bytes is right`() throws {
    let header = Fixtures.header("\u{e9}") { $0[100] = 0x30 }
    var signed = header
    // Two bytes of the name are above 127: 512 less.
    let text = String(decoding: header[148..<154], as: UTF8.self)
    let sum = String(try #require(Int(text, radix: 8)) - 512, radix: 8)
    signed.replaceSubrange(
      148..<154, with: Array((String(repeating: "0", count: 6 - sum.count) + sum).utf8))
    #expect(signed != header)
    #expect(try members(signed + Fixtures.end).first?.member.name == Array("\u{e9}".utf8))
  }

  @Test func `numbers in base 256 are read`() throws {
    let header = Fixtures.header("a") { block in
      block.replaceSubrange(124..<136, with: [0x80] + [UInt8](repeating: 0, count: 9) + [2, 1])
      // Minus one.
      block.replaceSubrange(136..<148, with: [UInt8](repeating: 0xFF, count: 12))
    }
    let found = try members(
      header + [UInt8](repeating: 7, count: 513) + [UInt8](repeating: 0, count: 511) + Fixtures.end)
    #expect(found.first?.member.size == 513)
    #expect(found.first?.member.modified == FileTime(seconds: -1))
    #expect(found.first?.contents == [UInt8](repeating: 7, count: 513))
  }

  @Test func `twelve digits without an end are a size`() throws {
    let header = Fixtures.header("a") { block in
      block.replaceSubrange(124..<136, with: Array("000000000003".utf8))
    }
    #expect(
      try members(header + Fixtures.padded([1, 2, 3]) + Fixtures.end)[0].contents == [1, 2, 3])
  }

  @Test(arguments: ["8", "-1", "x", "1 2"]) func `a size that is no number is an error`(
    text: String
  ) throws {
    let header = Fixtures.header("a") { block in
      let padded = Array(text.utf8) + [UInt8](repeating: 0, count: 12 - text.utf8.count)
      block.replaceSubrange(124..<136, with: padded)
    }
    #expect(throws: TarError.damaged("the size of a is no number")) {
      _ = try members(header + Fixtures.end)
    }
  }

  @Test func `a negative size in base 256 is an error`() throws {
    let header = Fixtures.header("a") { block in
      block.replaceSubrange(124..<136, with: [UInt8](repeating: 0xFF, count: 12))
    }
    #expect(throws: TarError.self) { _ = try members(header + Fixtures.end) }
  }

  @Test func `an extended header counts for the next member, a global one for all`() throws {
    let extended =
      Fixtures.pax("path", "long\nname") + Fixtures.pax("mtime", "-0.25")
      + Fixtures.pax("size", "2")
      + Fixtures.pax("comment", "a=b")
    let found = try members(
      Fixtures.described("g", Array(Fixtures.pax("mtime", "5.000000007").utf8))
        + Fixtures.described("x", Array(extended.utf8)) + Fixtures.header("a", size: 0)
        + Fixtures.padded([8, 9]) + Fixtures.file("b") + Fixtures.end)
    #expect(found.map(\.member.name) == [Array("long\nname".utf8), Array("b".utf8)])
    #expect(found[0].contents == [8, 9])
    #expect(found[0].member.modified == FileTime(seconds: -1, nanoseconds: 750_000_000))
    #expect(found[1].member.modified == FileTime(seconds: 5, nanoseconds: 7))
  }

  @Test(arguments: [
    "5 a=b\n", "7 a=b\n", "6 a=b\nx", "a=b\n", "6 aab\n", "99999999999 a=b\n", " 6 a=b\n",
    "10 size=-", "11 mtime=x\n", "14 size=99999999999999999999\n",
  ])
  func `an extended header that is not well-formed is an error`(text: String) throws {
    #expect(throws: TarError.self) {
      _ = try members(
        Fixtures.described("x", Array(text.utf8)) + Fixtures.file("a") + Fixtures.end)
    }
  }

  @Test func `the prefix of POSIX is a part of the name, that of GNU is not`() throws {
    let posix = Fixtures.header("b") { block in
      block.replaceSubrange(257..<265, with: Array("ustar\0".utf8) + Array("00".utf8))
      block[345] = UInt8(ascii: "a")
    }
    let gnu = Fixtures.header("b") { $0[345] = UInt8(ascii: "1") }
    #expect(
      try members(posix + gnu + Fixtures.end).map(\.member.name)
        == ["a/b", "b"].map { Array($0.utf8) })
  }

  @Test(arguments: ["1", "2", "3", "4", "5", "6"])
  func `a member of a type without contents has none`(
    type: Character
  ) throws {
    let found = try members(
      Fixtures.header("a", type: type, size: 600, target: "t") + Fixtures.file("b") + Fixtures.end)
    #expect(found.map(\.member.name) == ["a", "b"].map { Array($0.utf8) })
  }

  @Test(arguments: ["x", "-1\n", "1\n", "1\n600\n600\n", "2\n0\n1\n", "99999999\n"])
  func `a sparse file without a proper map is an error`(map: String) throws {
    let records =
      Fixtures.pax("GNU.sparse.major", "1") + Fixtures.pax("GNU.sparse.minor", "0")
      + Fixtures.pax("GNU.sparse.name", "s") + Fixtures.pax("GNU.sparse.realsize", "1000")
    #expect(throws: TarError.self) {
      _ = try members(
        Fixtures.described("x", Array(records.utf8)) + Fixtures.file("a", map) + Fixtures.end)
    }
  }

  @Test func `a raised sign ends the wait for more`() throws {
    let (ours, theirs) = try SocketCalls.pair()
    let stop = try StopSign()
    stop.raise()
    #expect(throws: CancellationError.self) {
      var reader = TarReader(from: ours, stop: stop)
      _ = try reader.next()
    }
    _ = theirs
  }
}
