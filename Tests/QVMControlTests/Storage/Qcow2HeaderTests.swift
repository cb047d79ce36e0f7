import Testing

@testable import QVMControl

@Suite struct Qcow2HeaderTests {
  /// A sound header of version 3 for a disk of 12 GiB.
  private static let sound: [UInt8] = {
    var bytes = [UInt8](repeating: 0, count: 104)
    bytes.replaceSubrange(0..<4, with: [0x51, 0x46, 0x49, 0xFB])
    set(&bytes, 4, 4, 3)
    set(&bytes, 20, 4, 16)
    set(&bytes, 24, 8, 12 << 30)
    set(&bytes, 36, 4, 24)
    set(&bytes, 40, 8, 0x30000)
    set(&bytes, 100, 4, 104)
    return bytes
  }()

  private static func set(_ bytes: inout [UInt8], _ offset: Int, _ count: Int, _ value: UInt64) {
    for index in 0..<count {
      bytes[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * UInt64(count - 1 - index)))
    }
  }

  @Test func `a sound header is accepted`() throws {
    try Qcow2Header.check(Self.sound)
  }

  @Test func `a header of version 2 is 72 bytes long`() throws {
    var bytes = Self.sound
    Self.set(&bytes, 4, 4, 2)
    try Qcow2Header.check(Array(bytes.prefix(72)))
    #expect(throws: Qcow2Header.Problem.truncated) {
      try Qcow2Header.check(Array(bytes.prefix(71)))
    }
  }

  @Test(arguments: [
    (8, 8, 0x200, Qcow2Header.Problem.backingFile),
    (72, 8, 0b1, .dirty), (72, 8, 0b10, .corrupt), (72, 8, 0b100, .externalDataFile),
    (72, 8, 0b100000, .unknownFeatures(0b100000)), (72, 8, 1 << 63, .unknownFeatures(1 << 63)),
    (4, 4, 1, .version(1)), (4, 4, 4, .version(4)), (32, 4, 1, .encrypted),
    (20, 4, 8, .implausible), (20, 4, 22, .implausible), (24, 8, 0, .implausible),
    (24, 8, UInt64.max, .implausible), (40, 8, 0, .implausible), (100, 4, 72, .implausible),
  ])
  func `a field that makes it no base image is found`(
    offset: Int, count: Int, value: UInt64, problem: Qcow2Header.Problem
  ) {
    var bytes = Self.sound
    Self.set(&bytes, offset, count, value)
    #expect(throws: problem) { try Qcow2Header.check(bytes) }
  }

  @Test func `every shorter file is an error`() {
    for count in 0..<104 {
      #expect(throws: Qcow2Header.Problem.self) {
        try Qcow2Header.check(Array(Self.sound.prefix(count)))
      }
    }
  }

  @Test(arguments: [
    ("", "an empty file"), ("\n <!DOCTYPE html>", "a web page"), (#"{"message": ""}"#, "JSON"),
    ("Not Found", "text"), ("PK\u{3}\u{4}", "a zip archive"),
  ])
  func `what came instead is named`(text: String, kind: String) {
    #expect(throws: Qcow2Header.Problem.notQcow2(found: kind)) {
      try Qcow2Header.check(Array(text.utf8))
    }
  }
}
