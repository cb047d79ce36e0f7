import QMPClient
import TestSupport
import Testing

@testable import QVMControl

@Suite struct SeaBIOSTests {
  private static func image(_ version: String) -> [UInt8] {
    let junk = Array(repeating: UInt8(0), count: 1000)
    return junk + Array("SeaBIOS (version %s)\0".utf8) + junk + Array("\(version)\0".utf8) + junk
  }

  @Test(arguments: [
    ("1.16.2-debian-1.16.2-1", "1.16.2"), ("1.17.0-debian-1.17.0-1", "1.17.0"),
    ("1.16.3-debian-1.16.3-2~bpo12+1", "1.16.3"),
    ("rel-1.16.3-0-ga6ed6b701f0a-prebuilt.qemu.org", "1.16.3"), ("nothing-of-it", nil),
  ])
  func `the version is found in what distributions make of it`(text: String, version: String?) {
    #expect(SeaBIOS.version(in: Self.image(text))?.description == version)
  }

  @Test(arguments: [
    ("1.16.2-debian-1.16.2-1", "7.2.22", false), ("1.16.2-debian-1.16.2-1", "10.0.2", true),
    ("1.16.2-debian-1.16.2-1", "11.1.3", true), ("1.16.3-debian-1.16.3-2", "11.1.3", false),
    ("unknown-0", "11.1.3", false),
  ])
  func `an old one is slow with a new QEMU`(text: String, version: String, isSlow: Bool) throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/bios-256k.bin"
    try Files.write(Self.image(text), to: path)
    let qemu = try #require(QEMUVersion(version))
    #expect((Firmware.bios.slowness(path, with: qemu) != nil) == isSlow)
    #expect(Firmware.uefi.slowness(path, with: qemu) == nil)
  }
}
