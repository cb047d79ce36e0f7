import Foundation
import TestSupport
import Testing

@testable import QVMControl

/// Archives that go from one program to another.
@Suite struct TarRoundTripTests {
  private typealias Fixtures = ArchiveFixtures

  let folder: TemporaryFolder
  private var source: String { folder.path + "/source" }
  private var target: String { folder.path + "/target" }
  private var archive: String { folder.path + "/a.tar" }

  init() throws {
    folder = try TemporaryFolder()
    for name in ["source", "target"] { try Fixtures.makeFolder("\(folder.path)/\(name)") }
  }

  private static var keepingAll: TarExtractor.Options {
    var options = TarExtractor.Options()
    options.keepsSpecialBits = true
    return options
  }

  @Test func `what was written is unpacked as it was`() throws {
    try Fixtures.fill(source)
    let written = try Fixtures.write(source, to: archive)
    #expect(written.remarks == [])
    #expect(written.hardLinks == 1)
    let unpacked = try Fixtures.extract(archive, into: target, options: Self.keepingAll)
    #expect(unpacked.remarks == [])
    #expect(unpacked.hardLinks == 1)
    #expect(unpacked.files == written.files)
    #expect(unpacked.bytes == written.bytes)
    #expect(try Fixtures.listing("\(target)/top") == Fixtures.listing(source))
    let second = try #require(Files.information("\(target)/top/second"))
    #expect(second.inode == Files.information("\(target)/top/size-513")?.inode)
  }

  @Test(
    arguments: ["tar -xpf", "bsdtar -xpf", "busybox tar -xpf"].filter {
      Fixtures.has(String($0.prefix { $0 != " " }))
    })
  func `another tar unpacks it as it was`(program: String) throws {
    try Fixtures.fill(source)
    try Fixtures.write(source, to: archive)
    let line = "umask 0; cd '\(target)' && LC_ALL=C \(program)"
    try Fixtures.shell("\(line) '\(archive)'")
    // busybox keeps the times of files alone.
    let hasAll = !program.hasPrefix("busybox")
    let keep = { (lines: [String]) in
      hasAll ? lines : lines.filter { !$0.contains("/ ") && !$0.contains("-> ") }
    }
    #expect(try keep(Fixtures.listing("\(target)/top")) == keep(Fixtures.listing(source)))
  }

  @Test(
    arguments: [
      "tar --format=gnu", "tar --format=posix", "tar --format=posix -S", "tar --format=oldgnu",
      "bsdtar", "bsdtar --format=pax", "bsdtar --format=gnutar", "busybox tar",
    ].filter { Fixtures.has(String($0.prefix { $0 != " " })) })
  func `what another tar writes is unpacked as it was`(program: String) throws {
    try Fixtures.fill(source)
    // 1 MiB with data at 300 KiB and at its end only.
    try Fixtures.shell(
      """
      cd '\(source)' && truncate -s 1M holes && printf data | dd of=holes bs=1k seek=300 conv=notrunc \
        && printf end >>holes && truncate -s 2M holes
      """)
    try Fixtures.shell("cd '\(source)' && LC_ALL=C.UTF-8 \(program) -cf '\(archive)' .")
    let unpacked = try Fixtures.extract(archive, into: target, options: Self.keepingAll)
    #expect(unpacked.remarks == [])
    #expect(try Fixtures.listing(target) == Fixtures.listing(source))
  }

  @Test func `archives one after the other are one`() throws {
    for name in ["one", "two"] { try Fixtures.makeFile("\(source)/\(name)", Array(name.utf8)) }
    try Fixtures.shell(
      "cd '\(source)' && { tar -cf - one; tar -b 1 -cf - two; tar -cf - -T /dev/null; } >'\(archive)'"
    )
    #expect(try Fixtures.extract(archive, into: target).files == 2)
    #expect(try Fixtures.listing(target) == Fixtures.listing(source))
  }

  @Test(arguments: 1...8) func `a random tree is unpacked as it was`(seed: Int) throws {
    var random = SeededGenerator(seed: UInt64(seed))
    try Self.grow(try FolderHandle(path: source), depth: 0, &random)
    let written = try Fixtures.write(source, to: archive)
    #expect(written.remarks == [])
    #expect(try Fixtures.extract(archive, into: target, options: Self.keepingAll).remarks == [])
    #expect(try Fixtures.listing("\(target)/top") == Fixtures.listing(source))
    try Fixtures.makeFolder("\(folder.path)/other")
    try Fixtures.shell("umask 0; cd '\(folder.path)/other' && tar -xpf '\(archive)'")
    #expect(try Fixtures.listing("\(folder.path)/other/top") == Fixtures.listing(source))
  }

  /// Fills a folder with random entries.
  private static func grow(
    _ folder: FolderHandle, depth: Int, _ random: inout SeededGenerator
  ) throws {
    for index in 0..<Int.random(in: 0...8, using: &random) {
      // All bytes but zero and the slash; the number makes them differ.
      let length = [1, 20, 98, 100, 240].randomElement(using: &random) ?? 1
      let name =
        Array("\(index)".utf8)
        + (0..<length).map { _ in
          let byte = UInt8.random(in: 1...255, using: &random)
          return byte == UInt8(ascii: "/") ? 0x5F : byte
        }
      let time = FileTime(seconds: Int.random(in: 0...2_000_000_000, using: &random))
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<3 where depth < 6:
        try folder.makeFolder(name, isShared: false)
        let inner = try folder.folder(name)
        try grow(inner, depth: depth + 1, &random)
        let mode = 0o700 | UInt32.random(in: 0...0o77, using: &random)
        try FolderHandle.set(mode: mode, time: time, of: inner.descriptor)
      case 3:
        try folder.makeLink(name, to: name + name)
        try folder.setTime(time, of: name)
      default:
        let size = Int.random(in: 0...[10, 600, 400_000][index % 3], using: &random)
        let file = try folder.makeFile(name)
        let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ index) }
        try bytes.withUnsafeBytes { try FolderHandle.write($0, at: 0, of: file) }
        try FolderHandle.set(
          mode: UInt32.random(in: 0...0o777, using: &random), time: time, of: file)
      }
    }
  }
}

/// Random numbers that a seed determines (SplitMix64).
private struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }
}
