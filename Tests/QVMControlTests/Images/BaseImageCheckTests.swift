import Foundation
import QMPClient
import TestSupport
import Testing

@testable import QVMControl

@Suite struct BaseImageCheckTests {
  @Test(arguments: [
    ("/c/images/v0.15.0/freebsd-14.2-x86-64.qcow2", "v0.15.0 --platform x86-64 freebsd 14.2"),
    ("/c/images/v1/netbsd-11.0-rc1-arm64.qcow2", "v1 --platform arm64 netbsd 11.0-rc1"),
    ("/c/images/builtin/demo-1-x86-64.qcow2", "builtin --platform x86-64 demo 1"),
    ("/c/images/v1/plan9-4-x86-64.qcow2", nil), ("/c/images/v1/haiku-r1beta5-arm64.qcow2", nil),
    ("/c/images/v1/freebsd-14.2-x86-64.raw", nil), ("/c/images/v 1/freebsd-14.2-x86-64.qcow2", nil),
    ("freebsd-14.2-x86-64.qcow2", nil),
  ])
  func `the command that fetches an image again follows from its path`(
    path: String, words: String?
  ) {
    // A path without folders has no release either.
    let expected = words.map { "qvm pull --release \($0)" }
    let command = Target.pullCommand(for: path)
    #expect(command == expected || expected == nil && !path.contains("/"))
  }

  @Test func `an image of a cache that was copied is hashed once and is as good as before`()
    async throws
  {
    try await ReleaseFixture.with { fixture in
      let target = try FirmwareTests.target("demo x86-64")
      let tools = ImageTools(qemuImg: try Tool.qemuImg.url.path)
      let image = try await BaseImage.ensure(
        target, with: try fixture.client(), imageTools: { tools })
      #expect(image.state == .ok)
      #expect(image.stamp != nil)
      #expect(BaseImage.find(target, in: fixture.cache) == image)

      let copy = "\(image.path).copy"
      try Files.write(try Files.read(image.path), to: copy)
      try Files.rename(copy, to: image.path)
      #expect(image.state == .changed)
      let checked = try await image.checked(on: fixture.loop)
      #expect(checked.stamp != image.stamp)
      #expect(checked.sha256 == image.sha256)
      #expect(checked.state == .ok)
      #expect(BaseImage.find(target, in: fixture.cache) == checked)

      await #expect(throws: ImageError.changed(path: image.path, .replaced)) {
        _ = try await checked.checked(against: "00", on: fixture.loop)
      }
      try Files.write(
        try Files.read(image.path).map { $0 == 0x55 ? 0x56 : $0 }, to: image.path)
      await #expect(throws: ImageError.changed(path: image.path, .content)) {
        _ = try await checked.checked(on: fixture.loop)
      }
      try Files.remove(image.path)
      await #expect(throws: ImageError.changed(path: image.path, .gone)) {
        _ = try await checked.checked(on: fixture.loop)
      }
    }
  }
}
