import Foundation
import QMPClient
import Synchronization
import TestSupport
import Testing

@testable import QVMControl

@Suite struct QEMUToolchainTests {
  private static let tar = "qemu-system-x86_64-\(Host.system).tar"
  private static let managedRuns = QEMUChoice.canRunManaged(isAsked: false)

  private static func freebsd() throws -> Target { try FirmwareTests.target("freebsd x86-64") }

  /// Publishes a managed QEMU: a program of this system with the firmware of the real one's names.
  private func publish(
    _ fixture: ReleaseFixture, target: String = "x86_64", tag: String = "v2.0.0",
    program: Data? = nil, firmware: [String: [UInt8]]? = nil
  ) throws {
    let root = fixture.folder.appending(path: "bundle-\(UUID())")
    let share = root.appending(path: "share/qemu")
    let bin = root.appending(path: "bin")
    for folder in [share, bin] {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }
    try (program ?? Data(contentsOf: URL(filePath: "/usr/bin/true")))
      .write(to: bin.appending(path: "qemu"))
    let bios: [UInt8] = .init(repeating: 0xEA, count: 256 << 10)
    let uefi = FirmwareTests.uefi(1 << 20)
    let files = firmware ?? ["bios-256k.bin": bios, "uefi.fd": uefi]
    for (name, content) in files { try Data(content).write(to: share.appending(path: name)) }
    try pack(root, as: "qemu-system-\(target)-\(Host.system).tar", tag: tag, fixture)
  }

  private func pack(
    _ root: URL, as asset: String, tag: String, _ fixture: ReleaseFixture
  ) throws {
    let tar = fixture.folder.appending(path: "\(UUID()).tar")
    try ReleaseFixture.run("tar", ["-C", root.path, "-c", "-f", tar.path, "."])
    try fixture.server.publish(try Data(contentsOf: tar), as: asset, tag: tag, in: "resources")
    try fixture.server.setLatest(tag, in: "resources")
  }

  @Test func `the managed QEMU is unpacked into a folder of its target`() async throws {
    try await ReleaseFixture.with { fixture in
      try publish(fixture)
      let toolchain = try await QEMUToolchain.ensure(
        for: try Self.freebsd(), choice: .managed, with: try fixture.client())

      let root = "\(fixture.cache.path)/qemu/x86_64"
      #expect(toolchain.origin == .managed(tag: "v2.0.0"))
      #expect(toolchain.program == "\(root)/bin/qemu-system-x86_64")
      #expect(toolchain.root == root)
      #expect(toolchain.target == "x86_64")
      #expect(!toolchain.hasLinaroFirmware)
      #expect(Files.list(root) == ["RELEASE", "bin", "digests.json", "share"])
      #expect(Files.list("\(root)/bin") == ["qemu-system-x86_64"])
      #expect(Files.text("\(root)/RELEASE") == "v2.0.0\n")
      #expect(Files.list("\(fixture.cache.path)/qemu") == ["x86_64"])
      #expect(fixture.downloads.isEmpty)
    }
  }

  @Test func `one that is installed needs no network, and wins over the system's`() async throws {
    try await ReleaseFixture.with { fixture in
      try publish(fixture)
      let target = try Self.freebsd()
      let first = try await QEMUToolchain.ensure(
        for: target, choice: .managed, with: try fixture.client())
      try fixture.server.forgetRequests()

      #expect(
        try await QEMUToolchain.ensure(for: target, choice: .auto, with: try fixture.client())
          == first)
      #expect(try QEMUToolchain.planned(for: target, in: fixture.cache, choice: .auto) == first)
      let demo = try FirmwareTests.target("demo x86-64")
      #expect(try QEMUToolchain.planned(for: demo, in: fixture.cache, choice: .auto) == first)
      #expect(fixture.server.requests.isEmpty)
    }
  }

  @Test func `a newer release replaces the one that is there only when that is asked for`()
    async throws
  {
    try await ReleaseFixture.with { fixture in
      let target = try Self.freebsd()
      let client = try fixture.client()
      try publish(fixture, tag: "v1.0.0")
      let first = try await QEMUToolchain.ensure(for: target, choice: .managed, with: client)
      let running = try Files.openForReading(first.program)
      try publish(fixture, tag: "v2.0.0")

      #expect(
        try await QEMUToolchain.ensure(for: target, choice: .managed, with: client) == first)
      let second = try await QEMUToolchain.ensure(
        for: target, choice: .managed, refresh: true, with: client)
      #expect(second.origin == .managed(tag: "v2.0.0"))
      #expect(second.program == first.program)
      var head = [UInt8](repeating: 0, count: 4)
      #expect(
        try Files.read(running, into: &head, of: first.program) == 4, "who has it open keeps it")
      #expect(fixture.downloads.isEmpty)

      try fixture.server.forgetRequests()
      _ = try await QEMUToolchain.ensure(
        for: target, choice: .managed, refresh: true, with: client)
      #expect(fixture.server.transfers(of: Self.tar).isEmpty, "the newest one is there")
    }
  }

  @Test func `a QEMU that can't be refreshed stays, and it is said why`() async throws {
    try await ReleaseFixture.with { fixture in
      try publish(fixture, tag: "v1.0.0")
      let target = try Self.freebsd()
      let first = try await QEMUToolchain.ensure(
        for: target, choice: .managed, with: try fixture.client())
      try publish(fixture, tag: "v2.0.0", program: Data("#!/bin/sh\nexit 1\n".utf8))

      let second = try await QEMUToolchain.ensure(
        for: target, choice: .managed, refresh: true, with: try fixture.client())

      #expect(second == first)
      #expect(Files.text("\(first.root)/RELEASE") == "v1.0.0\n")
      #expect(
        fixture.heard.notices.withLock { $0.last?.hasPrefix("keeping the QEMU of v1.0.0: ") }
          == true)
    }
  }

  @Test(arguments: [false, true])
  func `a QEMU that a killed refresh had set aside comes back without any network`(
    isRefreshed: Bool
  ) async throws {
    try await ReleaseFixture.with { fixture in
      try publish(fixture, tag: "v1.0.0")
      let target = try Self.freebsd()
      let first = try await QEMUToolchain.ensure(
        for: target, choice: .managed, with: try fixture.client())
      let aside = "\(fixture.cache.downloads)/\(Self.tar)@v2.0.0.unpacked.old"
      try Files.makeFolder(fixture.cache.downloads)
      try Files.rename(first.root, to: aside)
      try Files.write([], to: "\(fixture.cache.downloads)/\(Self.tar).lock")
      try fixture.server.forgetRequests()

      let second = try await QEMUToolchain.ensure(
        for: target, choice: .managed, refresh: isRefreshed,
        with: try fixture.client(base: "http://127.0.0.1:1/x"))

      #expect(second == first)
      #expect(Files.isExecutable(first.program))
      #expect(!Files.exists(aside))
    }
  }

  @Test(.enabled(if: managedRuns))
  func `a plan for a QEMU that is still to be downloaded writes nothing`() async throws {
    try await ReleaseFixture.with { fixture in
      let plan = try QEMUToolchain.planned(
        for: try Self.freebsd(), in: fixture.cache, choice: .auto)

      #expect(plan.origin == .managed(tag: nil))
      #expect(plan.program == "\(fixture.cache.path)/qemu/x86_64/bin/qemu-system-x86_64")
      #expect(Files.list("\(fixture.cache.path)/qemu").isEmpty)
      #expect(fixture.server.requests.isEmpty)
    }
  }

  @Test func `the demo guest starts with the system's QEMU and no download`() async throws {
    try await ReleaseFixture.with { fixture in
      let demo = try FirmwareTests.target("demo x86-64")
      let client = try fixture.client()
      let toolchain = try await QEMUToolchain.ensure(for: demo, choice: .auto, with: client)
      let tools = try await ImageTools.ensure(for: demo, choice: .auto, with: client)

      #expect(toolchain.origin == .system)
      #expect(tools.qemuImg == (try Tool.qemuImg.url.path))
      #expect(fixture.server.requests.isEmpty)
    }
  }

  @Test(.enabled(if: managedRuns))
  func `where the download fails the system's QEMU takes over, and it is said why`() async throws {
    try await ReleaseFixture.with { fixture in
      let client = try fixture.client(base: "http://127.0.0.1:1/x")
      let target = try Self.freebsd()
      let toolchain = try await QEMUToolchain.ensure(for: target, choice: .auto, with: client)
      let tools = try await ImageTools.ensure(for: target, choice: .auto, with: client)

      #expect(toolchain.origin == .system)
      let qemuImg = try Tool.qemuImg.url.path
      #expect(tools.qemuImg == qemuImg)
      let notices = fixture.heard.notices.withLock { $0 }
      #expect(notices.count == 2)
      #expect(notices.first?.contains(": cannot reach 127.0.0.1:1: ") == true)
      #expect(notices.first?.hasPrefix("using \(toolchain.program) instead") == true)
      #expect(notices.last?.hasPrefix("using \(qemuImg) instead") == true)
    }
  }

  @Test func `a managed QEMU that was asked for is not replaced by another`() async throws {
    try await ReleaseFixture.with { fixture in
      let client = try fixture.client(base: "http://127.0.0.1:1/x")
      await #expect(throws: DownloadError.self) {
        _ = try await QEMUToolchain.ensure(
          for: try Self.freebsd(), choice: .managed, with: client)
      }
    }
  }

  @Test func `the archives of two targets do not get in each other's way`() async throws {
    try await ReleaseFixture.with { fixture in
      try publish(fixture)
      try publish(fixture, target: "aarch64", firmware: ["uefi.fd": FirmwareTests.uefi(123_457)])
      let client = try fixture.client()
      let arm = try FirmwareTests.target("freebsd arm64")
      async let first = QEMUToolchain.ensure(
        for: try Self.freebsd(), choice: .managed, with: client)
      async let second = QEMUToolchain.ensure(for: arm, choice: .managed, with: client)
      let programs = try await [first.program, second.program]

      #expect(programs.allSatisfy(Files.isExecutable))
      let x86 = Files.information("\(fixture.cache.path)/qemu/x86_64/share/qemu/uefi.fd")
      let aarch64 = Files.information("\(fixture.cache.path)/qemu/aarch64/share/qemu/uefi.fd")
      #expect(x86?.size == 1 << 20)
      #expect(aarch64?.size == 123_457)
    }
  }

  @Test(arguments: [
    ("bios-256k.bin", Array("<html>Unicorn!</html>".utf8), "is a web page"),
    ("bios-256k.bin", [1, 2, 3], "has 3 bytes"),
  ])
  func `an archive with bad firmware is refused as a whole`(
    name: String, content: [UInt8], why: String
  ) async throws {
    try await ReleaseFixture.with { fixture in
      try publish(fixture, firmware: [name: content])
      await #expect(
        throws: ArchiveError.badMember(name: Self.tar, member: "share/qemu/\(name)", why: why)
      ) {
        _ = try await QEMUToolchain.ensure(
          for: try Self.freebsd(), choice: .managed, with: try fixture.client())
      }
      #expect(Files.list("\(fixture.cache.path)/qemu").isEmpty)
      #expect(fixture.downloads.isEmpty)
    }
  }

  @Test func `a program that fails on this host is refused`() async throws {
    try await ReleaseFixture.with { fixture in
      try publish(fixture, program: try Data(contentsOf: URL(filePath: "/usr/bin/false")))
      await #expect {
        _ = try await QEMUToolchain.ensure(
          for: try Self.freebsd(), choice: .managed, with: try fixture.client())
      } throws: { error in
        guard case ToolchainError.cannotRun = error else { return false }
        return true
      }
      #expect(Files.list("\(fixture.cache.path)/qemu").isEmpty)
    }
  }

  @Test func `what a killed run left behind is cleared away`() async throws {
    try await ReleaseFixture.with { fixture in
      try publish(fixture)
      let qemu = "\(fixture.cache.path)/qemu"
      let staging = "\(fixture.cache.downloads)/\(Self.tar)@v2.0.0.unpacked"
      for folder in ["\(staging)/bin", "\(qemu)/x86_64/share"] { try Files.makeFolder(folder) }
      try Files.write([1], to: "\(staging)/bin/leftover")

      let toolchain = try await QEMUToolchain.ensure(
        for: try Self.freebsd(), choice: .managed, with: try fixture.client())

      #expect(Files.list("\(toolchain.root)/bin") == ["qemu-system-x86_64"])
      #expect(fixture.downloads.isEmpty)
    }
  }

  @Test func `firmware that was damaged in its place is reported before QEMU starts`() async throws
  {
    try await ReleaseFixture.with { fixture in
      let bios: [UInt8] = .init(repeating: 0xEA, count: 256 << 10)
      let page = Array("<html>Not Found</html>".utf8)
      try publish(fixture, firmware: ["bios-256k.bin": bios, "uefi.fd": page])
      let client = try fixture.client()
      // FreeBSD doesn't need the bad one; OpenBSD does.
      _ = try await QEMUToolchain.ensure(for: try Self.freebsd(), choice: .managed, with: client)
      let openbsd = try FirmwareTests.target("openbsd x86-64")
      let path = "\(fixture.cache.path)/qemu/x86_64/share/qemu/uefi.fd"
      await #expect(throws: ToolchainError.badFirmware(path: path, why: "is a web page")) {
        _ = try await QEMUToolchain.ensure(for: openbsd, choice: .managed, with: client)
      }
    }
  }

  @Test func `qemu-img comes from an archive of its own`() async throws {
    try await ReleaseFixture.with { fixture in
      let root = fixture.folder.appending(path: "img")
      try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
      try Data(contentsOf: URL(filePath: "/usr/bin/true"))
        .write(to: root.appending(path: "qemu-img"))
      try pack(root, as: "resources-\(Host.system).tar", tag: "v2.0.0", fixture)
      let client = try fixture.client()

      let tools = try await ImageTools.ensure(
        for: try Self.freebsd(), choice: .managed, with: client)

      #expect(tools.qemuImg == "\(fixture.cache.path)/qemu/img/qemu-img")
      #expect(Files.list(fixture.cache.imageTools) == ["RELEASE", "digests.json", "qemu-img"])
      try fixture.server.forgetRequests()
      #expect(
        try await ImageTools.ensure(for: try Self.freebsd(), choice: .auto, with: client) == tools)
      #expect(fixture.server.requests.isEmpty)
    }
  }

  // MARK: - Folders and words

  @Test func `a folder of the user's is used as it is`() async throws {
    try await ReleaseFixture.with { fixture in
      try publish(fixture)
      let client = try fixture.client()
      let target = try Self.freebsd()
      let managed = try await QEMUToolchain.ensure(for: target, choice: .managed, with: client)
      let toolchain = try await QEMUToolchain.ensure(
        for: target, choice: try QEMUChoice(managed.root), with: client)

      #expect(toolchain.origin == .folder)
      #expect(toolchain.program == Files.resolved(managed.program))
    }
  }

  @Test func `a folder without the program is an error that names it`() throws {
    let folder = try #require(Files.resolved("/usr/share"))
    #expect(
      throws: ToolchainError.incompleteFolder(folder, missing: "bin/qemu-system-x86_64")
    ) {
      try QEMUToolchain.planned(
        for: try Self.freebsd(), in: Cache(path: "/nowhere"), choice: try QEMUChoice("/usr/share"))
    }
  }

  @Test func `the words for a QEMU`() throws {
    #expect(try QEMUChoice("auto") == .auto)
    #expect(try QEMUChoice("managed") == .managed)
    #expect(try QEMUChoice("system") == .system)
    #expect(throws: ToolchainError.badChoice("brew")) { try QEMUChoice("brew") }
    #expect(throws: ToolchainError.noFolder("/nowhere/qemu")) { try QEMUChoice("/nowhere/qemu") }
  }

  // MARK: - OpenBSD on arm64

  @Test func `without Linaro's firmware OpenBSD on arm64 starts from the device tree`() throws {
    let target = try FirmwareTests.target("openbsd arm64")
    let toolchain = QEMUToolchain("/q", root: "/r, x", .arm64, .system)
    let words = try Driver.find(target).command(DriverPaths(cache: "/r, x", image: "/i"))

    let adapted = toolchain.adapted(QEMUArguments(words), for: target)

    #expect(adapted.value(of: "-bios") == "/r, x/share/qemu/uefi.fd")
    #expect(adapted.value(of: "-machine") == "type=virt,accel=hvf:kvm:tcg,acpi=off")
    #expect(try toolchain.firmware(for: target) == [.uefi])
  }

  @Test func `with Linaro's firmware it starts as specified`() async throws {
    try await ReleaseFixture.with { fixture in
      let uefi = FirmwareTests.uefi(1 << 20)
      try publish(
        fixture, target: "aarch64", firmware: ["uefi.fd": uefi, "linaro_uefi.fd": uefi])
      let target = try FirmwareTests.target("openbsd arm64")
      let toolchain = try await QEMUToolchain.ensure(
        for: target, choice: .managed, with: try fixture.client())
      let words = try Driver.find(target).command(
        DriverPaths(cache: toolchain.root, image: "/i"))

      #expect(toolchain.hasLinaroFirmware)
      #expect(toolchain.adapted(QEMUArguments(words), for: target).words == words)
    }
  }

  @Test(arguments: Driver.all.map(\.description).filter { $0 != "openbsd-arm64" })
  func `no other guest's command is changed`(driver: String) throws {
    let target = try FirmwareTests.target(
      driver.replacing("-x86-64", with: " x86-64").replacing("-arm64", with: " arm64"))
    let toolchain = QEMUToolchain("/q", root: "/r", target.architecture, .system)
    let arguments = QEMUArguments(
      try Driver.find(target).command(DriverPaths(cache: "/r", image: "/i")))
    #expect(toolchain.adapted(arguments, for: target) == arguments)
  }
}
