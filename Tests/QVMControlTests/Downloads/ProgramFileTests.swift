import Testing

@testable import QVMControl

@Suite struct ProgramFileTests {
  private static func elf(_ machine: UInt8, bits: UInt8 = 2) -> [UInt8] {
    [0x7F, 0x45, 0x4C, 0x46, bits, 1] + [UInt8](repeating: 0, count: 12) + [machine, 0]
  }

  private static func machO(_ cpu: UInt8) -> [UInt8] {
    [0xCF, 0xFA, 0xED, 0xFE, cpu, 0, 0, 1] + [UInt8](repeating: 0, count: 12)
  }

  private static let fat = [0xCA, 0xFE, 0xBA, 0xBE] + [UInt8](repeating: 0, count: 16)

  @Test(arguments: [
    (elf(62), "linux", Architecture.x86_64), (elf(183), "linux", .arm64),
    (machO(7), "macos", .x86_64), (machO(7), "macos", .arm64), (machO(12), "macos", .arm64),
    (fat, "macos", .x86_64),
  ])
  func `a program for this host passes`(head: [UInt8], system: String, host: Architecture) {
    #expect(ProgramFile.problem(head, system: system, architecture: host) == nil)
  }

  @Test(arguments: [
    (elf(183), "linux", Architecture.x86_64), (elf(62), "linux", .arm64),
    (elf(62, bits: 1), "linux", .x86_64), (machO(7), "linux", .x86_64), (elf(62), "macos", .x86_64),
    (machO(12), "macos", .x86_64),
    (Array("<html>Unicorn!</html>".utf8.prefix(20)), "linux", .x86_64),
    ([0x7F, 0x45, 0x4C, 0x46], "linux", .x86_64), ([], "macos", .arm64),
  ])
  func `anything else does not`(head: [UInt8], system: String, host: Architecture) {
    #expect(ProgramFile.problem(head, system: system, architecture: host) != nil)
  }

  @Test func `a program of this system passes`() throws {
    #expect(try ProgramFile.problem("/usr/bin/true") == nil)
    #expect(try ProgramFile.looksLikeProgram("/usr/bin/true"))
    #expect(try !ProgramFile.looksLikeProgram("/etc/passwd"))
  }
}
