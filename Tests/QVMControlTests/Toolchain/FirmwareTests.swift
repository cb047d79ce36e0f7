import Foundation
import QMPClient
import TestSupport
import Testing

@testable import QVMControl

@Suite struct FirmwareTests {
  /// What a UEFI build begins with, in so many bytes.
  static func uefi(_ size: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0xFF, count: size)
    bytes.replaceSubrange(40..<44, with: Array("_FVH".utf8))
    return bytes
  }

  /// The bytes of a file, by how they are made: a test's log names its arguments.
  enum Content: Sendable {
    case text(String)
    case repeated(UInt8, Int)
    case uefi(Int)

    var bytes: [UInt8] {
      switch self {
      case .text(let text): Array(text.utf8)
      case .repeated(let byte, let count): [UInt8](repeating: byte, count: count)
      case .uefi(let size): FirmwareTests.uefi(size)
      }
    }
  }

  static func target(_ words: String, _ version: String = "1") throws -> Target {
    let parts = words.split(separator: " ").map(String.init)
    return try Target(
      operatingSystem: parts[0], version: version, platform: parts[1], host: .x86_64)
  }

  @Test(arguments: [
    ("freebsd x86-64", [Firmware.bios]), ("freebsd arm64", [.uefi]), ("openbsd x86-64", [.uefi]),
    ("openbsd arm64", [.linaro]), ("netbsd x86-64", [.bios]), ("netbsd arm64", [.uefi]),
    ("haiku x86-64", [.bios]), ("omnios x86-64", [.bios]), ("demo x86-64", [.bios]),
  ])
  func `a driver's firmware is read from its command`(words: String, firmware: [Firmware]) throws {
    #expect(try Firmware.needed(by: Self.target(words)) == firmware)
  }

  @Test(arguments: [
    (Firmware.bios, Architecture.x86_64, Content.repeated(0xEA, 262_144)),
    (.uefi, .x86_64, .uefi(2 << 20)),
    // The managed build's is cut where its zeros begin.
    (.uefi, .arm64, .uefi(1_234_567)), (.linaro, .arm64, .uefi(2 << 20)),
  ])
  func `firmware passes`(firmware: Firmware, architecture: Architecture, content: Content) throws {
    #expect(try problem(firmware, architecture, content.bytes) == nil)
  }

  @Test(arguments: [
    (Firmware.bios, Architecture.x86_64, Content.text("<html>Unicorn!</html>"), "is a web page"),
    (.uefi, .arm64, .text("<html>Unicorn!</html>"), "is a web page"),
    (.linaro, .arm64, .text("\n<!DOCTYPE html>"), "is a web page"),
    (.uefi, .arm64, .text(""), "is an empty file"),
    (.bios, .x86_64, .repeated(0xEA, 131_072), "has 131072 bytes"),
    (.uefi, .x86_64, .repeated(0xEA, 262_144), "is not UEFI firmware"),
    (.uefi, .x86_64, .uefi(1_234_567), "has 1234567 bytes, which is not a multiple of 4096"),
    (.uefi, .arm64, .uefi(4096), "is not UEFI firmware"),
  ])
  func `anything else is reported as what it is`(
    firmware: Firmware, architecture: Architecture, content: Content, why: String
  ) throws {
    #expect(try problem(firmware, architecture, content.bytes) == why)
  }

  private func problem(
    _ firmware: Firmware, _ architecture: Architecture, _ content: [UInt8]
  ) throws -> String? {
    let path = FileManager.default.temporaryDirectory.path + "/qvm-firmware-\(UUID())"
    defer { try? Files.remove(path) }
    try Files.write(content, to: path)
    return firmware.problem(path, for: architecture)
  }

  @Test func `a file that isn't there is missing`() {
    #expect(Firmware.uefi.problem("/nowhere/uefi.fd", for: .x86_64) == "is missing")
    #expect(Firmware.uefi.problem("/usr", for: .x86_64) == "is missing")
  }

  @Test(arguments: ["freebsd x86-64", "openbsd x86-64", "netbsd arm64", "openbsd arm64"])
  func `the firmware of this system's QEMU is found and linked`(words: String) async throws {
    try await ReleaseFixture.with { fixture in
      let target = try Self.target(words)
      let toolchain = try await QEMUToolchain.ensure(
        for: target, choice: .system, with: try fixture.client())

      #expect(toolchain.origin == .system)
      #expect(toolchain.root == fixture.cache.systemFirmware(target.architecture.qemuTarget))
      for firmware in try toolchain.firmware(for: target) {
        let path = firmware.path(in: toolchain.root)
        #expect(Files.information(path)?.kind == .link)
        #expect(firmware.problem(path, for: target.architecture) == nil)
      }
      #expect(fixture.server.requests.isEmpty)
    }
  }

  @Test func `a link that leads nowhere any longer is made anew`() async throws {
    try await ReleaseFixture.with { fixture in
      let target = try Self.target("freebsd x86-64")
      let link = Firmware.bios.path(in: fixture.cache.systemFirmware("x86_64"))
      try Files.makeFolder(Files.parent(of: link))
      try Files.link("/nowhere/bios-256k.bin", at: link)

      _ = try await QEMUToolchain.ensure(
        for: target, choice: .system, with: try fixture.client())

      #expect(Firmware.bios.problem(link, for: .x86_64) == nil)
      #expect(Files.list(Files.parent(of: link)) == ["bios-256k.bin"])
    }
  }
}
