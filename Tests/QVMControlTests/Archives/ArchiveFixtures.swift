import Foundation
import QMPClient
import TestSupport
import Testing

@testable import QVMControl

/// Trees, archives and other programs for the tests of this folder.
enum ArchiveFixtures {
  /// Runs a line of shell; its output. A failure fails the test.
  @discardableResult
  static func shell(_ line: String, status: Int32 = 0) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = ["-c", line]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    try #require(process.terminationStatus == status, "\(line): \(text)")
    return text
  }

  static func has(_ program: String) -> Bool {
    (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
      .contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(program)") }
  }

  /// Opens a file that is made or emptied.
  static func output(_ path: String) throws -> Descriptor {
    try Files.openForOutput(path, append: false)
  }

  /// Writes an archive of a path into a file.
  @discardableResult
  static func write(
    _ path: String, as name: String = "top", to archive: String,
    options: TarWriter.Options = .init(), progress: ((TarWriter.Summary) -> Void)? = nil
  ) throws -> TarWriter.Summary {
    var writer = TarWriter(to: try output(archive), stop: try StopSign(), progress: progress)
    try writer.add(path, as: Array(name.utf8), options: options)
    return try writer.finish()
  }

  /// Unpacks an archive in a file.
  @discardableResult
  static func extract(
    _ archive: String, into folder: String, options: TarExtractor.Options = .init()
  ) throws -> TarExtractor.Summary {
    var reader = TarReader(from: try Files.openForReading(archive), stop: try StopSign())
    var extractor = try TarExtractor(into: folder, options: options)
    return try extractor.extract(&reader)
  }

  /// All members of an archive in a file, with their contents.
  static func members(_ archive: String) throws -> [(member: TarMember, contents: [UInt8])] {
    var reader = TarReader(from: try Files.openForReading(archive), stop: try StopSign())
    var members: [(member: TarMember, contents: [UInt8])] = []
    while let member = try reader.next() {
      var contents = [UInt8](repeating: 0, count: member.size)
      try reader.readContents { contents.replaceSubrange($0..<($0 + $1.count), with: $1) }
      members.append((member, contents))
    }
    return members
  }

  static func makeFolder(_ path: String) throws {
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
  }

  static func makeFile(_ path: String, _ bytes: [UInt8] = Array("x".utf8)) throws {
    try Files.write(bytes, to: path, isLasting: false)
  }

  // MARK: - Trees

  /// One line an entry below a folder: path, kind, mode, time in seconds, and contents. It's all that
  /// a copy has to keep.
  static func listing(_ folder: FolderHandle, _ path: String = "") throws -> [String] {
    var lines: [String] = []
    for (name, _) in try folder.contents() {
      let found = try #require(try folder.information(name))
      let shown = path + name.map { String(UnicodeScalar($0)) }.joined()
      let time = found.modified.seconds
      switch found.kind {
      case .folder:
        lines.append("\(shown)/ \(found.mode) \(time)")
        lines += try listing(try folder.folder(name), shown + "/")
      case .file:
        let bytes = try contents(try folder.file(name))
        lines.append("\(shown) \(found.mode) \(time) \(bytes.count) \(bytes.hashValue)")
      case .link: lines.append("\(shown) -> \(try folder.linkTarget(name)) \(time)")
      case .socket, .fifo, .device: lines.append("\(shown) special")
      }
    }
    return lines
  }

  static func listing(_ path: String) throws -> [String] {
    try listing(try FolderHandle(path: path))
  }

  private static func contents(_ file: Descriptor) throws -> [UInt8] {
    var bytes: [UInt8] = []
    while let more = Files.readSome(file.number) { bytes += more }
    return bytes
  }

  /// Names that are hard on a tar.
  static let oddNames: [[UInt8]] =
    [
      "new\nline", "quote'\"`$", "-dash", " blanks ", "tab\t", "back\\slash", "e\u{301}", "\u{e9}",
      "*",
      "%s", "!!", "@LongLink",
    ].map { Array($0.utf8) } + [[0xFF, 0xFE], [1], [0x7F, 0x80]]
    + [99, 100, 101, 150, 254, 255].map { [UInt8](repeating: UInt8(ascii: "n"), count: $0) }

  /// Fills a folder with all kinds of entries that can be archived.
  static func fill(_ path: String) throws {
    let top = try FolderHandle(path: path)
    for (index, name) in oddNames.enumerated() {
      let file = try top.makeFile(name)
      try Array("contents \(index)".utf8).withUnsafeBytes {
        try FolderHandle.write($0, at: 0, of: file)
      }
      try FolderHandle.set(
        mode: [0o644, 0o755, 0o400, 0o4755, 0o600][index % 5],
        time: FileTime(seconds: 1_000_000_000 + index), of: file)
    }
    for size in [0, 1, 511, 512, 513, 10_240, 300_000] {
      try makeFile("\(path)/size-\(size)", (0..<size).map { UInt8($0 % 251) })
    }
    // A path of 305 bytes.
    let deep = String(repeating: "d", count: 101)
    try makeFolder("\(path)/\(deep)/\(deep)")
    try makeFile("\(path)/\(deep)/\(deep)/\(deep)")
    try makeFolder("\(path)/empty")
    for count in [1, 100, 101, 180] {
      try top.makeLink(Array("link-\(count)".utf8), to: [UInt8](repeating: 0x6C, count: count))
      try top.setTime(FileTime(seconds: 1_100_000_000), of: Array("link-\(count)".utf8))
    }
    try top.makeLink(Array("away".utf8), to: Array("/nowhere/../at\nall".utf8))
    try top.makeHardLink(Array("second".utf8), to: Array("size-513".utf8), in: top)
    for (name, mode) in [("empty", UInt32(0o700)), (deep, 0o750)] {
      let folder = try top.folder(Array(name.utf8))
      try FolderHandle.set(
        mode: mode, time: FileTime(seconds: 1_200_000_000), of: folder.descriptor)
    }
  }

  // MARK: - Archives by hand

  /// A header with a right checksum.
  static func header(
    _ name: String, type: Character = "0", size: Int = 0, mode: String = "0000644",
    target: String = "", change: (inout [UInt8]) -> Void = { _ in }
  ) -> [UInt8] {
    var block = [UInt8](repeating: 0, count: 512)
    func put(_ text: String, _ offset: Int) {
      block.replaceSubrange(offset..<(offset + text.utf8.count), with: Array(text.utf8))
    }
    put(name, 0)
    put(mode, 100)
    put("0000000", 108)
    put("0000000", 116)
    let digits = String(size, radix: 8)
    put(String(repeating: "0", count: 11 - digits.count) + digits, 124)
    put("07346545000", 136)
    put(String(type), 156)
    put(target, 157)
    put("ustar  ", 257)
    change(&block)
    for index in 148..<156 { block[index] = 0x20 }
    let sum = String(block.reduce(0) { $0 + Int($1) }, radix: 8)
    put(String(repeating: "0", count: 6 - sum.count) + sum + "\0", 148)
    return block
  }

  /// A file with its contents.
  static func file(_ name: String, _ text: String = "x", mode: String = "0000644") -> [UInt8] {
    header(name, size: text.utf8.count, mode: mode) + padded(Array(text.utf8))
  }

  /// A member that describes the next one.
  static func described(_ type: Character, _ text: [UInt8]) -> [UInt8] {
    header("././@LongLink", type: type, size: text.count) + padded(text)
  }

  /// A record of an extended header.
  static func pax(_ key: String, _ value: String) -> String {
    let body = " \(key)=\(value)\n"
    var length = body.utf8.count
    while length != body.utf8.count + String(length).utf8.count {
      length = body.utf8.count + String(length).utf8.count
    }
    return "\(length)\(body)"
  }

  static func padded(_ bytes: [UInt8]) -> [UInt8] {
    bytes + [UInt8](repeating: 0, count: (512 - bytes.count % 512) % 512)
  }

  static let end = [UInt8](repeating: 0, count: 1024)
}
