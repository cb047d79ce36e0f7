import Testing

@testable import QVMControl

@Suite struct KeyDiskTests {
  private static let table: [(OperatingSystem, String?, FATImage.Form?, Bool)] = [
    (.freebsd, "v0.0.1", .partition, false), (.freebsd, "v0.13.1", .partition, false),
    (.freebsd, "v0.14.0", nil, false), (.freebsd, "v1.0.0", nil, false),
    (.freebsd, nil, nil, false),
    (.freebsd, "nightly", nil, false), (.freebsd, "vnext", nil, false),
    (.netbsd, "v0.5.1", .wholeDisk, true), (.netbsd, "v0.7.0", .wholeDisk, true),
    (.netbsd, "v1.0.0", nil, false), (.netbsd, nil, nil, false),
    (.openbsd, "v0.3.0", .wholeDisk, false), (.openbsd, "v9.0.0", .wholeDisk, false),
    (.openbsd, nil, .wholeDisk, false),
    (.haiku, "v0.0.1", nil, false), (.omnios, "v0.0.1", nil, false), (.demo, "builtin", nil, false),
  ]

  @Test(arguments: table)
  func `an image's release decides on the disk and its form`(
    system: OperatingSystem, release: String?, form: FATImage.Form?, isLast: Bool
  ) {
    let disk = KeyDisk(for: system, release: release)
    #expect(disk?.form == form)
    #expect((disk?.isLast ?? false) == isLast)
  }

  @Test func `it depends on the release for two systems`() {
    #expect(OperatingSystem.allCases.filter(KeyDisk.dependsOnRelease) == [.freebsd, .netbsd])
  }

  @Test(arguments: Driver.all.map(\.description))
  func `the disk follows the driver's, is of its kind, and is not what the firmware boots`(
    name: String
  ) throws {
    let driver = try #require(Driver.all.first { $0.description == name })
    let words = QEMUArguments(driver.command(DriverPaths(cache: "/c", image: "/i")))
    let more = words.appendingKeyDisk("/a,b/keys.img")
    #expect(!words.hasKeyDisk)
    #expect(more.hasKeyDisk)
    #expect(Array(more.words.prefix(words.words.count)) == words.words)
    let own = Array(more.words.dropFirst(words.words.count))
    #expect(own.count == 4 && own[0] == "-device" && own[2] == "-drive")
    let system = try #require(words.systemDevice).items
    #expect(system["bootindex"] == "0")
    let device = QEMUOptionValue(own[1])
    #expect(device.value.prefix { $0 != "," } == system.value.prefix { $0 != "," })
    #expect(device["bootindex"] == nil)
    let drive = QEMUOptionValue(own[3])
    #expect(drive["file"] == "/a,b/keys.img")
    #expect(drive["format"] == "raw")
    #expect(drive["readonly"] == nil)
    #expect(drive["id"] == device["drive"])
  }

  @Test func `a system disk without a boot index gets one`() {
    let words = QEMUArguments(["q", "-device", "virtio-blk,drive=drive0,addr=0x02"])
    #expect(
      words.appendingKeyDisk("/k").words.dropFirst().prefix(2)
        == ["-device", "virtio-blk,drive=drive0,addr=0x02,bootindex=0"])
  }

  @Test(arguments: [(OperatingSystem.openbsd, false), (.netbsd, true)])
  func `its place among the user's disks is that which the guest counts on`(
    system: OperatingSystem, isLast: Bool
  ) throws {
    let disk = try #require(KeyDisk(for: system, release: "v0.1.0"))
    let overrides = try RunOverrides(extraArguments: ["-device", "scsi-hd,drive=mine"])
    let words = try overrides.apply(
      to: QEMUArguments(["q", "-device", "scsi-hd,drive=drive0,bootindex=0"]), with: (disk, "/k")
    ).words
    let devices = words.filter { $0.hasPrefix("scsi-hd") }.map { QEMUOptionValue($0)["drive"] }
    #expect(devices == (isLast ? ["drive0", "mine", "qvm-keys"] : ["drive0", "qvm-keys", "mine"]))
  }
}
