import Foundation
import QMPClient
import Synchronization
import TestSupport
import Testing

@testable import QVMControl

@Suite struct ImageBundleTests {
  private static let name = "netbsd-10.1-x86-64"
  private static let bundle = "netbsd-10.1-x86-64.tar.zst"
  private static let builder = "netbsd-builder"

  /// A bundle of a disk that is mostly holes, as the releases make them.
  private func publishBundle(
    _ fixture: ReleaseFixture, disk: Data, size: Int = 64 << 20, member: String = "disk.img"
  ) throws {
    let folder = fixture.folder.appending(path: "bundle-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let raw = folder.appending(path: member)
    try disk.write(to: raw)
    if size > 0 { try Files.setSize(size, of: raw.path) }
    try Data("kernel".utf8).write(to: folder.appending(path: "kernel"))
    let tar = folder.appending(path: "bundle.tar").path
    try ReleaseFixture.run("tar", ["--sparse", "-C", folder.path, "-cf", tar, member, "kernel"])
    try ReleaseFixture.run("zstd", ["-q", tar, "-o", "\(tar).zst"])
    try fixture.server.publish(
      try Data(contentsOf: URL(filePath: "\(tar).zst")), as: Self.bundle, tag: "v1.0.0",
      in: Self.builder)
    try fixture.server.setLatest("v1.0.0", in: Self.builder)
  }

  private static func disk() -> Data {
    var disk = ReleaseFixture.randomBytes(300_000)
    disk.replaceSubrange(510..<512, with: [0x55, 0xAA])
    return disk
  }

  private func ensure(_ fixture: ReleaseFixture, refresh: Bool = false) async throws -> BaseImage {
    let target = try FirmwareTests.target("netbsd x86-64", "10.1")
    let tools = ImageTools(qemuImg: try Tool.qemuImg.url.path)
    return try await BaseImage.ensure(
      target, refresh: refresh, with: try fixture.client(), imageTools: { tools })
  }

  @Test func `a bundle's disk becomes a qcow2 image with the same content`() async throws {
    try await ReleaseFixture.with { fixture in
      let disk = Self.disk()
      try publishBundle(fixture, disk: disk)

      let image = try await ensure(fixture)

      #expect(image.tag == "v1.0.0")
      #expect(image.path == "\(fixture.cache.path)/images/v1.0.0/\(Self.name).qcow2")
      #expect(image.url?.hasSuffix("/v1.0.0/\(Self.bundle)") == true)
      #expect(!image.isUnverified)
      #expect(
        try await FileDigest.sha256(of: image.path, on: fixture.loop) == image.sha256)
      #expect(Files.information(image.path)?.mode == 0o444)
      #expect(image.size < 2 << 20, "holes stay holes")
      let raw = fixture.folder.appending(path: "raw").path
      try ReleaseFixture.run(
        try Tool.qemuImg.url.path, ["convert", "-O", "raw", image.path, raw])
      #expect(Files.information(raw)?.size == 64 << 20)
      #expect(try ReleaseFixture.bytes(raw).prefix(disk.count) == disk)
      #expect(fixture.downloads.isEmpty)
      #expect(BaseImage.list(in: fixture.cache) == [image])
      try fixture.server.forgetRequests()
      #expect(try await ensure(fixture) == image)
      #expect(fixture.server.requests.isEmpty)
      #expect(try await ensure(fixture, refresh: true) == image)
      #expect(fixture.server.transfers(of: Self.bundle).isEmpty)
    }
  }

  @Test(arguments: [
    "not a bundle", "not a disk", "an empty disk", "another member", "a web page in it",
    "an endless disk",
  ])
  func `where the bundle can't be used the newest qcow2 image is, and it is said why`(
    problem: String
  ) async throws {
    try await ReleaseFixture.with { fixture in
      let says: String
      switch problem {
      case "not a bundle":
        try fixture.server.publish(
          Data("<html>Unicorn!</html>".utf8), as: Self.bundle, tag: "v1.0.0", in: Self.builder)
        try fixture.server.setLatest("v1.0.0", in: Self.builder)
        says = "is not a zstd archive but a web page"
      case "not a disk":
        try publishBundle(fixture, disk: Data(repeating: 0xE5, count: 2 << 20))
        says = "has no partition table"
      case "an empty disk":
        try publishBundle(fixture, disk: Data(), size: 0)
        says = "is not a disk image but an empty file"
      case "another member":
        try publishBundle(fixture, disk: Self.disk(), member: "other.img")
        says = "cannot unpack"
      case "an endless disk":
        try publishBundle(fixture, disk: Self.disk(), size: 65 << 30)
        says = "contains more than 68.7 GB"
      default:
        try publishBundle(fixture, disk: Data("<html>".utf8), size: 0)
        says = "is not a disk image but a web page"
      }
      try fixture.server.publish(
        try fixture.makeImage(), as: "\(Self.name).qcow2", tag: "v0.7.0", in: Self.builder)

      #expect(try await ensure(fixture).tag == "v0.7.0")
      let notice = fixture.heard.notices.withLock { $0.last } ?? ""
      #expect(notice.contains(says), "\(notice)")
      #expect(notice.hasPrefix("using the image of v0.7.0 instead: "))
      #expect(fixture.downloads.isEmpty)
    }
  }

  @Test func `a bundle that is all there is and can't be used is an error`() async throws {
    try await ReleaseFixture.with { fixture in
      try publishBundle(fixture, disk: Data(repeating: 0xE5, count: 2 << 20))
      await #expect(
        throws: ArchiveError.badMember(
          name: Self.bundle, member: "disk.img", why: "has no partition table")
      ) { _ = try await ensure(fixture) }
      #expect(Files.list(fixture.cache.images).isEmpty)
      #expect(fixture.downloads.isEmpty)
    }
  }

  @Test func `a qcow2 image is preferred to a bundle of the same release`() async throws {
    try await ReleaseFixture.with { fixture in
      try publishBundle(fixture, disk: Self.disk())
      try fixture.server.publish(
        try fixture.makeImage(), as: "\(Self.name).qcow2", tag: "v1.0.0", in: Self.builder)
      _ = try await ensure(fixture)
      #expect(fixture.server.transfers(of: Self.bundle).isEmpty)
    }
  }

  @Test func `a disk that would leave no room is not unpacked to its end`() async throws {
    try await ReleaseFixture.with { fixture in
      // Without holes, and quick to unpack.
      try publishBundle(fixture, disk: Data(repeating: 0xE5, count: 200 << 20), size: 0)
      let file = fixture.server.file(Self.bundle, tag: "v1.0.0", in: Self.builder)
      try Files.makeFolder(fixture.cache.downloads)
      let lock = try #require(try FileLock.attempt("\(fixture.cache.downloads)/lock"))
      for (room, hasBegun) in [(1 << 10, false), (40 << 20, true)] {
        let folder = "\(fixture.cache.downloads)/unpacked-\(room)"
        let bundle = ImageBundle(path: file.path, name: Self.bundle) {
          room + Download.spare - Files.allocated(below: $0)
        }
        let error = try await #require(throws: DownloadError.self) {
          _ = try await bundle.image(
            in: folder, qemuImg: "/usr/bin/false", holding: lock, on: fixture.loop)
        }
        guard case .diskFull = error else {
          Issue.record("\(error)")
          return
        }
        #expect(Files.exists("\(folder)/disk.img") == hasBegun)
        #expect(Files.allocated(below: folder) < 150 << 20)
      }
    }
  }

  @Test func `pruning leaves a bundle alone while a process works on it`() async throws {
    try await ReleaseFixture.with { fixture in
      try publishBundle(fixture, disk: Self.disk())
      try fixture.server.setFault(.slow(100_000), for: Self.bundle)
      let pull = Task(executorPreference: fixture.loop) { try await ensure(fixture) }
      try await eventually("it downloads") {
        fixture.downloads.contains { $0.hasSuffix(".partial") }
      }
      try fixture.removeLeftovers()
      #expect(fixture.downloads.contains { $0.hasSuffix(".partial") })
      _ = try await pull.value
    }
  }
}
