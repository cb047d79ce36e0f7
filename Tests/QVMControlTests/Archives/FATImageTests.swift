import Foundation
import TestSupport
import Testing

@testable import QVMControl

@Suite struct FATImageTests {
  private typealias Fixtures = ArchiveFixtures

  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static let keys = Array("ssh-ed25519 AAAA me\n".utf8)
  private static let sizes = [0, 1, 512, 513, 1024, 20_000, 65_535, 65_536]

  /// The file system alone, in a file of its own.
  private func fileSystem(_ contents: [UInt8], _ form: FATImage.Form) throws -> String {
    let bytes = try FATImage.bytes(contents: contents, form: form)
    let path = "\(folder.path)/\(form)"
    try Fixtures.makeFile(path, Array(bytes[(form == .partition ? 63 * 512 : 0)...]))
    return path
  }

  @Test(arguments: FATImage.Form.allCases, sizes)
  func `fsck.fat finds no fault, and mtools reads the file`(form: FATImage.Form, size: Int) throws {
    let contents = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    let path = try fileSystem(contents, form)
    let report = try Fixtures.shell("/usr/sbin/fsck.fat -nvV '\(path)'")
    #expect(report.contains("12 bit entries"))
    let listed = try Fixtures.shell("MTOOLS_SKIP_CHECK=1 mdir -i '\(path)' -b ::")
    #expect(listed.split(separator: "\n").map(String.init) == ["::/KEYS"])
    try Fixtures.shell("mtype -i '\(path)' ::KEYS >'\(folder.path)/read'")
    #expect(try Files.read("\(folder.path)/read") == contents)
  }

  @Test(arguments: FATImage.Form.allCases) func `mtools shows the label`(form: FATImage.Form) throws
  {
    let path = try fileSystem(Self.keys, form)
    #expect(try Fixtures.shell("minfo -i '\(path)' ::").contains("disk label=\"QVM KEYS   \""))
  }

  @Test func `the file is read where the table says that the partition begins`() throws {
    let path = "\(folder.path)/disk"
    try Fixtures.makeFile(path, try FATImage.bytes(contents: Self.keys, form: .partition))
    // The table's own words: where the partition begins, in sectors.
    let start = try Files.read(path)[454..<458].reversed().reduce(0) { $0 << 8 | Int($1) }
    let read = try Fixtures.shell("mtype -i '\(path)@@\(start * 512)' ::KEYS")
    #expect(read == String(decoding: Self.keys, as: UTF8.self))
  }

  @Test func `the whole disk is a file system, byte for byte`() throws {
    let image = try FATImage.bytes(contents: Self.keys, form: .wholeDisk)
    #expect(image.count == 1_474_560)
    let again = try FATImage.bytes(contents: Self.keys, form: .wholeDisk)
    #expect(image == again)
    let boot = image[0..<62]
    #expect(
      boot.elementsEqual(
        [0xEB, 0x3C, 0x90] + Array("MSDOS5.0".utf8) + [
          0, 2, 1, 1, 0, 2, 16, 0, 0x40, 0x0B, 0xF8, 9, 0,
        ]
          + [63, 0, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0, 0x29, 0x31, 0x4D, 0x56, 0x51]
          + Array("QVM KEYS   FAT12   ".utf8)))
    #expect(image[510..<512].elementsEqual([0x55, 0xAA]))
    for table in [1, 10] {
      #expect(
        image[(table * 512)..<(table * 512 + 6)].elementsEqual([0xF8, 0xFF, 0xFF, 0xFF, 0x0F, 0]))
    }
    let root = 19 * 512
    #expect(image[root..<(root + 12)].elementsEqual(Array("QVM KEYS   ".utf8) + [8]))
    #expect(image[(root + 32)..<(root + 44)].elementsEqual(Array("KEYS       ".utf8) + [0x20]))
    #expect(
      image[(root + 58)..<(root + 64)].elementsEqual([2, 0, UInt8(Self.keys.count), 0, 0, 0]))
    #expect(image[(20 * 512)..<(20 * 512 + Self.keys.count)].elementsEqual(Self.keys))
    #expect(image[(20 * 512 + Self.keys.count)...].allSatisfy { $0 == 0 })
  }

  @Test func `a partition begins at sector 63 and knows it`() throws {
    let image = try FATImage.bytes(contents: Self.keys, form: .partition)
    #expect(image.count == 1_474_560)
    #expect(image[446..<462].elementsEqual([0, 1, 1, 0, 1, 45, 45, 0, 63, 0, 0, 0, 1, 11, 0, 0]))
    #expect(image[462..<510].allSatisfy { $0 == 0 })
    #expect(image[510..<512].elementsEqual([0x55, 0xAA]))
    let boot = 63 * 512
    #expect(image[(boot + 28)..<(boot + 32)].elementsEqual([63, 0, 0, 0]))
    #expect(image[(boot + 19)..<(boot + 21)].elementsEqual([1, 11]))
    #expect(image[(boot + 510)..<(boot + 512)].elementsEqual([0x55, 0xAA]))
  }

  @Test func `more than 64 KiB are an error`() {
    #expect(throws: FATImage.TooBig(size: 65_537)) {
      try FATImage.bytes(contents: [UInt8](repeating: 1, count: 65_537), form: .wholeDisk)
    }
  }
}
