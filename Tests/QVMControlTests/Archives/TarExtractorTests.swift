import Foundation
import QMPClient
import TestSupport
import Testing

@testable import QVMControl

/// What a hostile or damaged archive may do: nothing outside of the target.
@Suite struct TarExtractorTests {
  private typealias Fixtures = ArchiveFixtures

  let folder: TemporaryFolder
  private var target: String { folder.path + "/outer/target" }
  private var archive: String { folder.path + "/a.tar" }

  init() throws {
    folder = try TemporaryFolder()
    try Fixtures.makeFolder(target)
    try Fixtures.makeFile("\(folder.path)/outer/secret", Array("secret".utf8))
  }

  private func extract(
    _ bytes: [UInt8], options: TarExtractor.Options = .init()
  ) throws -> TarExtractor.Summary {
    try Fixtures.makeFile(archive, bytes)
    return try Fixtures.extract(archive, into: target, options: options)
  }

  /// Unpacks an archive, and looks that only the target has changed and has no file of a temporary
  /// name.
  private func problems(_ bytes: [UInt8]) throws -> [ArchiveRemark.Problem] {
    let summary = try extract(bytes + Fixtures.file("last", "last") + Fixtures.end)
    #expect(Files.list("\(folder.path)/outer") == ["secret", "target"])
    #expect(Files.text("\(folder.path)/outer/secret") == "secret")
    #expect(Files.text("\(target)/last") == "last")
    #expect(!Files.list(target).contains { $0.hasPrefix(".qvm-") })
    return summary.remarks.map(\.problem)
  }

  @Test(arguments: ["../x", "a/../../x", "/x", "//x", "..", "a/..", "", "/"])
  func `a name that leads out is refused`(name: String) throws {
    #expect(try problems(Fixtures.file(name)) == [.outside])
    #expect(Files.list(target) == ["last"])
    let long = Fixtures.described("L", Array(name.utf8) + [0])
    if !name.isEmpty { #expect(try problems(long + Fixtures.file("ok")) == [.outside]) }
    let extended = Fixtures.described("x", Array(Fixtures.pax("path", name).utf8))
    if !name.isEmpty { #expect(try problems(extended + Fixtures.file("ok")) == [.outside]) }
    #expect(Files.list(target) == ["last"])
  }

  @Test func `a name for the top is no file`() throws {
    #expect(try problems(Fixtures.file(".")) == [.outside])
    #expect(try problems(Fixtures.header("./", type: "5", mode: "0000000")) == [])
    #expect(Files.information(target)?.mode == 0o755)
  }

  @Test func `the mode of the top is set if that is wanted`() throws {
    var options = TarExtractor.Options()
    options.changesTop = true
    _ = try extract(
      Fixtures.header("./", type: "5", mode: "0000710") + Fixtures.end, options: options)
    #expect(Files.information(target)?.mode == 0o710)
    #expect(Files.information(target)?.modified == 0o07346545000)
  }

  @Test(arguments: ["..", "../secret", "/tmp", "."])
  func `nothing goes through a link`(destination: String) throws {
    let link = Fixtures.header("link", type: "2", target: destination)
    #expect(
      try problems(
        link + Fixtures.file("link/x") + Fixtures.header("link/y/", type: "5")
          + Fixtures.header("link/z", type: "2", target: "q")
          + Fixtures.header("h", type: "1", target: "link/secret"))
        == [.throughLink, .throughLink, .throughLink, .badHardLink])
    #expect(Files.list(target) == ["last", "link"])
    #expect(Files.linkTarget("\(target)/link") == destination)
  }

  @Test func `a file replaces a link instead of following it`() throws {
    #expect(
      try problems(
        Fixtures.header("a", type: "2", target: "../secret") + Fixtures.file("a", "mine")) == [])
    #expect(Files.information("\(target)/a")?.kind == .file)
    #expect(Files.text("\(target)/a") == "mine")
  }

  @Test func `a folder that is a link already is refused`() throws {
    try Files.link("..", at: "\(target)/d")
    #expect(
      try problems(Fixtures.header("d/", type: "5") + Fixtures.file("d/x")) == [
        .occupied, .throughLink,
      ])
    #expect(Files.information("\(target)/d")?.kind == .link)
  }

  @Test(arguments: ["../secret", "/etc/passwd", "missing", "d", "link", ".."])
  func `a hard link to what is no file of the target is refused`(destination: String) throws {
    #expect(
      try problems(
        Fixtures.header("d/", type: "5") + Fixtures.header("link", type: "2", target: "../secret")
          + Fixtures.header("h", type: "1", target: destination)) == [.badHardLink])
    #expect(!Files.exists("\(target)/h"))
  }

  @Test func `a hard link replaces a file, and itself`() throws {
    #expect(
      try problems(
        Fixtures.file("a", "one") + Fixtures.file("h", "old")
          + Fixtures.header("h", type: "1", target: "a")
          + Fixtures.header("a", type: "1", target: "h")
          + Fixtures.header("a", type: "1", target: "a"))
        == [])
    #expect(Files.list(target) == ["a", "h", "last"])
    #expect(Files.areSame("\(target)/a", "\(target)/h"))
    #expect(Files.text("\(target)/h") == "one")
  }

  @Test func `a file that follows a hard link leaves the other name alone`() throws {
    try Fixtures.makeFile("\(target)/old", Array("old".utf8))
    #expect(
      try problems(
        Fixtures.header("h", type: "1", target: "old") + Fixtures.file("h", "new", mode: "0000777"))
        == [])
    #expect(Files.text("\(target)/old") == "old")
    #expect(Files.information("\(target)/old")?.mode == 0o600)
  }

  @Test(arguments: ["3", "4", "6", "V", "M", "S", "Z"])
  func `a device, a pipe or something unknown is refused`(type: Character) throws {
    let value = try #require(type.asciiValue)
    #expect(try problems(Fixtures.header("a", type: type)) == [.unsupported(type: value)])
    #expect(!Files.exists("\(target)/a"))
  }

  @Test func `setuid, setgid and sticky go unless they are wanted`() throws {
    let bytes =
      Fixtures.file("a", mode: "0007755") + Fixtures.header("d/", type: "5", mode: "0007751")
      + Fixtures.end
    _ = try extract(bytes)
    #expect(Files.information("\(target)/a")?.mode == 0o755)
    #expect(Files.information("\(target)/d")?.mode == 0o751)
    var options = TarExtractor.Options()
    options.keepsSpecialBits = true
    _ = try extract(bytes, options: options)
    #expect(Files.information("\(target)/a")?.mode == 0o7755)
    #expect(Files.information("\(target)/d")?.mode == 0o7751)
  }

  @Test func `names up to the limits are unpacked, longer ones refused`() throws {
    func long(_ name: String) -> [UInt8] {
      Fixtures.described("L", Array(name.utf8) + [0]) + Fixtures.file("cut")
    }
    let most = String(repeating: "a/", count: 2047) + "bc"
    #expect(try problems(long(most)) == [])
    #expect(try problems(long(most + "d")) == [.nameTooLong])
    #expect(try problems(long(String(repeating: "c", count: 255))) == [])
    let component = try problems(long(String(repeating: "c", count: 256)))
    #expect(component == [.failed(SystemError(call: "fstatat", code: ENAMETOOLONG))])
    let target = [UInt8](repeating: 0x61, count: 5000)
    #expect(
      try problems(
        Fixtures.described("K", target) + Fixtures.header("l", type: "2")) == [.nameTooLong])
  }

  @Test func `a header without end is an error`() throws {
    #expect(throws: TarError.damaged("a header has 4294967296 bytes")) {
      _ = try extract(Fixtures.header("././@LongLink", type: "L", size: 1 << 32))
    }
  }

  @Test func `a folder in the place of a file is refused, and a file in that of a folder`() throws {
    try Fixtures.makeFolder("\(target)/d/inner")
    try Fixtures.makeFile("\(target)/f", Array("old".utf8))
    #expect(
      try problems(
        Fixtures.file("d") + Fixtures.header("d", type: "2", target: "f")
          + Fixtures.header("d", type: "1", target: "f") + Fixtures.header("f/", type: "5")
          + Fixtures.file("f/x")) == [.occupied, .occupied, .occupied, .occupied, .throughLink])
    #expect(Files.text("\(target)/f") == "old")
    #expect(Files.exists("\(target)/d/inner"))
  }

  @Test func `an old file stays until the new one is whole`() throws {
    try Fixtures.makeFile("\(target)/a", Array("old".utf8))
    let whole = Fixtures.file("a", String(repeating: "n", count: 5000))
    #expect(throws: TarError.truncated) { _ = try extract(Array(whole.dropLast(1024))) }
    #expect(Files.text("\(target)/a") == "old")
    #expect(Files.list(target) == ["a"])
    #expect(try extract(whole + Fixtures.end).files == 1)
    #expect(Files.information("\(target)/a")?.size == 5000)
  }

  @Test func `a folder without permissions gets them last`() throws {
    let bytes =
      Fixtures.header("d/", type: "5", mode: "0000500") + Fixtures.file("d/a")
      + Fixtures.header("d/e/", type: "5", mode: "0000000") + Fixtures.file("d/e/b")
    #expect(try problems(bytes) == [])
    #expect(Files.information("\(target)/d")?.mode == 0o500)
    #expect(Files.information("\(target)/d/e")?.mode == 0)
    #expect(Files.information("\(target)/d")?.modified == 0o07346545000)
    try Files.setMode(0o700, of: "\(target)/d/e")
    #expect(Files.text("\(target)/d/e/b") == "x")
  }

  @Test func `members get other names, or none`() throws {
    var options = TarExtractor.Options()
    options.rename = { name in
      name.starts(with: Array("no".utf8)) ? nil : Array("new/".utf8) + name
    }
    let summary = try extract(
      Fixtures.file("a") + Fixtures.file("no") + Fixtures.header("h", type: "1", target: "a")
        + Fixtures.file("../x") + Fixtures.end, options: options)
    #expect(Files.list("\(target)/new") == ["a", "h"])
    #expect(Files.list(target) == ["new"])
    #expect(summary.remarks.map(\.problem) == [.outside])
  }

  @Test func `names from the archive are harmless in a message`() {
    let remark = ArchiveRemark(Array("a\u{1b}[31m\n".utf8), .outside)
    #expect(remark.text == "a\\u{1b}[31m\\n: refused: its name leads out of the target folder")
    #expect(remark.isLoss)
    #expect(!ArchiveRemark([], .special).isLoss)
  }

  @Test(.enabled(if: canMount)) func `a full disk is an error that names it, and leaves no part`()
    throws
  {
    let disk = "\(folder.path)/disk"
    try Fixtures.makeFolder(disk)
    try Fixtures.shell("mount -t tmpfs -o size=256k small '\(disk)'")
    defer { _ = try? Fixtures.shell("umount '\(disk)'") }
    try Fixtures.makeFolder("\(disk)/in")
    try Fixtures.makeFile(
      archive,
      Fixtures.file("first") + Fixtures.file("big", String(repeating: "b", count: 1 << 20))
        + Fixtures.end)
    #expect(throws: TarError.diskFull(file: "\(disk)/in/big", disk: disk)) {
      _ = try Fixtures.extract(archive, into: "\(disk)/in")
    }
    #expect(Files.list("\(disk)/in") == ["first"])
  }

  private static let canMount: Bool = {
    guard geteuid() == 0, let folder = try? TemporaryFolder() else { return false }
    let place = "'\(folder.path)'"
    return
      (try? Fixtures.shell("mount -t tmpfs -o size=64k small \(place) && umount \(place)")) != nil
  }()
}
