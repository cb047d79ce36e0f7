import Foundation
import QMPClient
import TestSupport
import Testing

@testable import QVMControl

@Suite struct BaseImageTests {
  private static let name = "netbsd-10.1-x86-64"
  private static let asset = "netbsd-10.1-x86-64.qcow2"
  private static let builder = "netbsd-builder"
  private static let target = Result { try FirmwareTests.target("netbsd x86-64", "10.1") }

  private static func imageTools() throws -> ImageTools {
    ImageTools(qemuImg: try Tool.qemuImg.url.path)
  }

  private func ensure(
    _ fixture: ReleaseFixture, refresh: Bool = false
  ) async throws -> BaseImage {
    try await BaseImage.ensure(
      try Self.target.get(), refresh: refresh, with: try fixture.client(),
      imageTools: { try Self.imageTools() })
  }

  @Test func `an image is downloaded, checked, protected and recorded`() async throws {
    try await ReleaseFixture.with { fixture in
      let content = try fixture.makeImage()
      try fixture.server.publish(content, as: Self.asset, tag: "v0.7.0", in: Self.builder)
      try fixture.server.setLatest("v0.7.0", in: Self.builder)
      let target = try Self.target.get()
      #expect(BaseImage.find(target, in: fixture.cache) == nil)

      let image = try await ensure(fixture)

      #expect(image.path == "\(fixture.cache.path)/images/v0.7.0/\(Self.asset)")
      #expect(try ReleaseFixture.bytes(image.path) == content)
      #expect(Files.information(image.path)?.mode == 0o444)
      let record = try #require(
        try JSONFile.read("\(fixture.cache.path)/images/v0.7.0/\(Self.name).json"))
      #expect(record["schema"]?.int == 1)
      #expect(record["bytes"]?.int == content.count)
      #expect(record["tag"]?.string == "v0.7.0")
      #expect(record["sha256"]?.string == image.sha256)
      #expect(record["url"]?.string?.hasSuffix("/download/v0.7.0/\(Self.asset)") == true)
      #expect(record["fetched"]?.string.flatMap { Timestamp($0) } == image.fetched)
      #expect(BaseImage.find(target, in: fixture.cache) == image)
      #expect(BaseImage.list(in: fixture.cache) == [image])
      #expect(fixture.downloads.isEmpty)
    }
  }

  @Test func `an image that is there is used without any network`() async throws {
    try await ReleaseFixture.with { fixture in
      try fixture.server.publish(
        try fixture.makeImage(), as: Self.asset, tag: "v0.7.0", in: Self.builder)
      try fixture.server.setLatest("v0.7.0", in: Self.builder)
      let first = try await ensure(fixture)
      try fixture.server.publish(
        try fixture.makeImage(), as: Self.asset, tag: "v0.8.0", in: Self.builder)
      try fixture.server.setLatest("v0.8.0", in: Self.builder)
      try fixture.server.forgetRequests()

      #expect(try await ensure(fixture) == first)
      #expect(fixture.server.requests.isEmpty)
    }
  }

  @Test func `a newer release goes beside the older one, which stays as it was`() async throws {
    try await ReleaseFixture.with { fixture in
      let content = try fixture.makeImage()
      try fixture.server.publish(content, as: Self.asset, tag: "v0.7.0", in: Self.builder)
      try fixture.server.setLatest("v0.7.0", in: Self.builder)
      let first = try await ensure(fixture)
      try fixture.server.publish(
        try fixture.makeImage(), as: Self.asset, tag: "v0.8.0", in: Self.builder)
      try fixture.server.setLatest("v0.8.0", in: Self.builder)

      let second = try await ensure(fixture, refresh: true)

      #expect(second.tag == "v0.8.0")
      #expect(try ReleaseFixture.bytes(first.path) == content)
      #expect(BaseImage.list(in: fixture.cache).map(\.tag).sorted() == ["v0.7.0", "v0.8.0"])
      #expect(try await ensure(fixture, refresh: true) == second)
      #expect(fixture.server.transfers(of: Self.asset).count == 2)
    }
  }

  @Test func `what a killed refresh left of a newer release is kept for the next`() async throws {
    try await ReleaseFixture.with { fixture in
      try fixture.server.publish(
        try fixture.makeImage(), as: Self.asset, tag: "v0.9.0", in: Self.builder)
      try fixture.server.setLatest("v0.9.0", in: Self.builder)
      let first = try await ensure(fixture)
      let newer = try fixture.makeImage()
      try fixture.server.publish(newer, as: Self.asset, tag: "v0.10.0", in: Self.builder)
      try fixture.server.setLatest("v0.10.0", in: Self.builder)
      try fixture.server.setFault(.truncate(at: 500_000), for: Self.asset)
      await #expect(throws: DownloadError.self) { _ = try await ensure(fixture, refresh: true) }
      // A kill leaves the lock too, which is not held then.
      let folder = fixture.cache.downloads
      for name in ["\(Self.asset).lock", "\(Self.asset)@v0.9.0.partial", ".\(Self.asset)@v0.8.0.x"]
      {
        try Files.write([], to: "\(folder)/\(name)")
      }

      #expect(try await ensure(fixture) == first)
      let partial = "\(Self.asset)@v0.10.0.partial"
      #expect(fixture.downloads == [partial, "\(partial).headers", "\(partial).json"])

      try fixture.server.setFault(nil, for: Self.asset)
      let second = try await ensure(fixture, refresh: true)
      #expect(try ReleaseFixture.bytes(second.path) == newer)
      #expect(fixture.server.transfers(of: Self.asset).last?.range == "bytes=500000-")
      #expect(fixture.downloads.isEmpty)
    }
  }

  @Test func `an image with a digest in its release is told from one without`() async throws {
    try await ReleaseFixture.with { fixture in
      try fixture.server.publish(
        try fixture.makeImage(), as: Self.asset, tag: "v0.7.0", in: Self.builder)
      try fixture.server.setLatest("v0.7.0", in: Self.builder)
      #expect(try await !ensure(fixture).isUnverified)
      try fixture.server.publish(
        try fixture.makeImage(), as: Self.asset, tag: "v0.8.0", in: Self.builder)
      try fixture.server.setLatest("v0.8.0", in: Self.builder)
      try fixture.server.setFault(.withoutDigest, for: "\(Self.builder).json")

      let image = try await ensure(fixture, refresh: true)

      #expect(image.tag == "v0.8.0")
      #expect(image.isUnverified)
      #expect(image.sha256?.count == 64)
      let record = try JSONFile.read("\(fixture.cache.path)/images/v0.8.0/\(Self.name).json")
      #expect(record?["unverified"]?.bool == true)
      #expect(
        BaseImage.list(in: fixture.cache).map(\.isUnverified).sorted { !$0 && $1 } == [false, true])
    }
  }

  @Test func `a version that doesn't exist is reported with those that do`() async throws {
    try await ReleaseFixture.with { fixture in
      for name in ["netbsd-9.4-x86-64", "netbsd-10.0-x86-64", "netbsd-10.0-arm64"] {
        try fixture.server.publish(
          Data("x".utf8), as: "\(name).qcow2", tag: "v0.7.0", in: Self.builder)
      }
      try fixture.server.setLatest("v0.7.0", in: Self.builder)
      do {
        _ = try await ensure(fixture)
        Issue.record("found")
      } catch let error as ImageError {
        #expect(
          error.message
            == "no release on \(fixture.server.baseURL)/netbsd-builder/releases "
            + "has NetBSD 10.1 for x86-64")
        #expect(error.advice == "Use one of 10.0 for arm64; 10.0, 9.4 for x86-64.")
        #expect(error.exitStatus == .failed)
      }
    }
  }

  @Test func `a web page is no image and never gets the name of one`() async throws {
    try await ReleaseFixture.with { fixture in
      try fixture.server.publish(
        Data("<html>Unicorn!</html>".utf8), as: Self.asset, tag: "v0.7.0", in: Self.builder)
      try fixture.server.setLatest("v0.7.0", in: Self.builder)
      await #expect(
        throws: ImageError.unusable(name: Self.asset, .notQcow2(found: "a web page"))
      ) { _ = try await ensure(fixture) }
      #expect(Files.list(fixture.cache.images).isEmpty)
      #expect(fixture.downloads.isEmpty)
    }
  }

  @Test func `an image that was cut before it was published is found out`() async throws {
    try await ReleaseFixture.with { fixture in
      let content = try fixture.makeImage()
      try fixture.server.publish(
        content.prefix(content.count / 2), as: Self.asset, tag: "v0.7.0", in: Self.builder)
      try fixture.server.setLatest("v0.7.0", in: Self.builder)
      await #expect {
        _ = try await ensure(fixture)
      } throws: { error in
        guard case ImageError.corrupt = error else { return false }
        return true
      }
      #expect(Files.list(fixture.cache.images).isEmpty)
      #expect(fixture.downloads.isEmpty)
    }
  }

  @Test func `an image that would read another file of this machine is refused`() async throws {
    try await ReleaseFixture.with { fixture in
      let image = fixture.folder.appending(path: "hostile.qcow2")
      try ReleaseFixture.run(
        try Tool.qemuImg.url.path,
        ["create", "-q", "-f", "qcow2", "-b", "/etc/passwd", "-F", "raw", image.path])
      try fixture.server.publish(
        try Data(contentsOf: image), as: Self.asset, tag: "v0.7.0", in: Self.builder)
      try fixture.server.setLatest("v0.7.0", in: Self.builder)
      await #expect(throws: ImageError.unusable(name: Self.asset, .backingFile)) {
        _ = try await ensure(fixture)
      }
    }
  }

  @Test func `an image that lost bytes is not used, nor replaced under its overlays`() async throws
  {
    try await ReleaseFixture.with { fixture in
      let content = try fixture.makeImage()
      try fixture.server.publish(content, as: Self.asset, tag: "v0.7.0", in: Self.builder)
      try fixture.server.setLatest("v0.7.0", in: Self.builder)
      let image = try await ensure(fixture)
      try Files.setMode(0o600, of: image.path)
      try Files.setSize(1000, of: image.path)

      #expect(BaseImage.find(try Self.target.get(), in: fixture.cache) == nil)
      await #expect(
        throws: ImageError.changed(path: image.path, .size(1000, expected: content.count))
      ) { _ = try await ensure(fixture) }
    }
  }

  @Test func `several requests for the same image make one transfer`() async throws {
    try await ReleaseFixture.with { fixture in
      try fixture.server.publish(
        try fixture.makeImage(), as: Self.asset, tag: "v0.7.0", in: Self.builder)
      try fixture.server.setLatest("v0.7.0", in: Self.builder)
      let images = try await withThrowingTaskGroup(of: BaseImage.self) { group in
        for _ in 0..<6 { group.addTask { try await ensure(fixture) } }
        return try await group.reduce(into: Set<BaseImage>()) { $0.insert($1) }
      }
      #expect(images.count == 1)
      #expect(fixture.server.transfers(of: Self.asset).count == 1)
    }
  }

  @Test func `the demo guest's image is made without any network`() async throws {
    try await ReleaseFixture.with { fixture in
      let target = try FirmwareTests.target("demo x86-64")
      let image = try await BaseImage.ensure(
        target, with: try fixture.client(), imageTools: { try Self.imageTools() })

      #expect(image.path == "\(fixture.cache.path)/images/builtin/demo-1-x86-64.qcow2")
      #expect(Files.information(image.path)?.mode == 0o444)
      let head = try Files.head(of: image.path, count: Qcow2Header.length)
      try Qcow2Header.check(head)
      let raw = fixture.folder.appending(path: "demo.raw")
      try ReleaseFixture.run(
        try Tool.qemuImg.url.path, ["convert", "-O", "raw", image.path, raw.path])
      let disk = try Data(contentsOf: raw)
      #expect(disk.count == DemoGuestImage.diskSize)
      #expect(Array(disk.prefix(DemoGuestImage.bytes.count)) == DemoGuestImage.bytes)
      #expect(BaseImage.find(target, in: fixture.cache) == image)
      #expect(
        Files.list("\(fixture.cache.path)/images/builtin")
          == ["demo-1-x86-64.json", "demo-1-x86-64.qcow2"])
      #expect(fixture.server.requests.isEmpty)
    }
  }

  @Test(arguments: [
    ("netbsd-10.1-x86-64.qcow2", "10.1", Architecture.x86_64),
    ("netbsd-10.1-arm64.qcow2", "10.1", .arm64),
    ("netbsd-11.0-rc1-arm64.qcow2", "11.0-rc1", .arm64),
    ("netbsd-10.1-x86-64.tar.zst", "10.1", .x86_64),
  ])
  func `an asset's name is read`(asset: String, version: String, architecture: Architecture) {
    let available = ImageName(asset, of: .netbsd)
    #expect(available?.version == version)
    #expect(available?.architecture == architecture)
  }

  @Test(arguments: [
    "netbsd-10.1-x86-64.tar", "freebsd-14.2-x86-64.qcow2", "netbsd-x86-64.qcow2",
    "netbsd-10.1-vax.qcow2", "netbsd--x86-64.qcow2", "",
  ])
  func `anything else is no base image`(asset: String) {
    #expect(ImageName(asset, of: .netbsd) == nil)
  }

  /// How a qemu-img ends that looks through an image.
  enum Judgement: String, CaseIterable, Sendable {
    case corrupt = "echo 'ERROR cluster 5 refcount=0' >&2; exit 2"
    case internalError = "echo 'Check not completed' >&2; exit 1"
    case crash = "kill -SEGV $$"
    case missingLibrary = "echo 'libaio.so.1: cannot open' >&2; exit 127"
  }

  @Test(arguments: Judgement.allCases)
  func `an image is corrupt only where qemu-img says so; a bad qemu-img doesn't cost a download`(
    judgement: Judgement
  ) async throws {
    try await ReleaseFixture.with { fixture in
      try fixture.server.publish(
        try fixture.makeImage(), as: Self.asset, tag: "v0.7.0", in: Self.builder)
      try fixture.server.setLatest("v0.7.0", in: Self.builder)
      let program = fixture.folder.appending(path: "qemu-img").path
      try ReleaseFixture.run(
        "sh",
        [
          "-c", #"printf '#!/bin/sh\n%s\n' "$1" >"$2" && chmod 755 "$2""#, "sh",
          judgement.rawValue, program,
        ])
      func pull(_ tools: ImageTools) async throws -> BaseImage {
        try await BaseImage.ensure(
          try Self.target.get(), with: try fixture.client(), imageTools: { tools })
      }
      let error = await #expect(throws: (any Error).self) {
        _ = try await pull(ImageTools(qemuImg: program))
      }
      #expect(error is ImageError == (judgement == .corrupt))
      #expect(error is ToolchainError == (judgement != .corrupt))
      #expect(fixture.downloads.isEmpty == (judgement == .corrupt))
      try fixture.server.forgetRequests()
      _ = try await pull(try Self.imageTools())
      #expect(fixture.server.transfers(of: Self.asset).isEmpty == (judgement != .corrupt))
      #expect(fixture.downloads.isEmpty)
    }
  }
}
