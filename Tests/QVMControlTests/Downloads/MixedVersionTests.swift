import Foundation
import QMPClient
import Synchronization
import TestSupport
import Testing

@testable import QVMControl

/// A server that tells of one version of a file and sends another.
@Suite(.timeLimit(.minutes(2))) struct MixedVersionTests {
  private static let asset = "freebsd-14.2-x86-64.qcow2"
  private static let builder = "freebsd-builder"
  private static let partial = "\(asset)@v1.0.0.partial"
  private static let size = 300_000

  /// A server whose latest release has one file of random bytes, and no digest of it.
  private func serving(
    _ body: @Sendable @escaping (ReleaseFixture, Data) async throws -> Void
  ) async throws {
    try await ReleaseFixture.with { fixture in
      let content = ReleaseFixture.randomBytes(Self.size)
      try fixture.server.publish(content, as: Self.asset, tag: "v1.0.0", in: Self.builder)
      try fixture.server.setLatest("v1.0.0", in: Self.builder)
      try fixture.server.setFault(.withoutDigest, for: "\(Self.builder).json")
      try fixture.server.publishOther(ReleaseFixture.randomBytes(Self.size), as: Self.asset)
      try await body(fixture, content)
    }
  }

  private func path(_ fixture: ReleaseFixture, _ suffix: String = "") -> String {
    "\(fixture.cache.downloads)/\(Self.partial)\(suffix)"
  }

  /// Downloads until more than `count` bytes are there, and stops then.
  private func cancelled(_ fixture: ReleaseFixture, after count: Int = 0) async throws {
    let arrived = Mailbox<Void>()
    let client = ReleaseClient(
      try ReleaseSource(base: fixture.server.baseURL), cache: fixture.cache,
      progress: ProgressReporter { _, event in
        if case .advanced(let bytes) = event, bytes > count { arrived.send(()) }
      }, notify: { _ in }, on: fixture.loop)
    let task = Task(executorPreference: fixture.loop) {
      try await fixture.fetch(Self.asset, with: client)
    }
    _ = await arrived.next()
    task.cancel()
    await #expect(throws: CancellationError.self) { _ = try await task.value }
  }

  @Test func `what came of another version is not gone on with after an interruption`()
    async throws
  {
    try await serving { fixture, content in
      try fixture.server.setFault(.times(1, .other(100_000)), for: Self.asset)
      try await cancelled(fixture)

      let file = try await fixture.fetch(Self.asset, with: try fixture.client())

      #expect(try ReleaseFixture.bytes(file.path) == content)
      #expect(fixture.server.transfers(of: Self.asset).last?.range == nil)
    }
  }

  @Test func `what was certain before an answer stays where that one was never told`()
    async throws
  {
    try await serving { fixture, content in
      try fixture.server.setFault(.slow(200_000), for: Self.asset)
      try await cancelled(fixture)
      try await cancelled(fixture, after: 60_000)
      try fixture.server.setFault(nil, for: Self.asset)
      // As after a kill of both before the headers of the second answer were there.
      let note = try JSONFile.read(path(fixture, ".json"))
      let certain = try #require(note?["certain"]?.int)
      #expect(certain > 0)
      try Files.remove(path(fixture, ".headers"))

      let file = try await fixture.fetch(Self.asset, with: try fixture.client())

      #expect(try ReleaseFixture.bytes(file.path) == content)
      #expect(fixture.server.transfers(of: Self.asset).last?.range == "bytes=\(certain)-")
    }
  }

  @Test(arguments: ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nETag: TAG\r\n"])
  func `headers that are cut off make nothing certain`(headers: String) async throws {
    try await serving { fixture, content in
      try fixture.server.setFault(.slow(100_000), for: Self.asset)
      try await cancelled(fixture)
      try fixture.server.setFault(nil, for: Self.asset)
      let note = try JSONFile.read(path(fixture, ".json"))
      let tag = try #require(note?["etag"]?.string)
      try Files.write(
        Array(headers.replacing("TAG", with: tag).utf8), to: path(fixture, ".headers"))

      let file = try await fixture.fetch(Self.asset, with: try fixture.client())

      #expect(try ReleaseFixture.bytes(file.path) == content)
      #expect(fixture.server.transfers(of: Self.asset).last?.range == nil)
    }
  }

  @Test func `another version is right where its digest is`() async throws {
    try await serving { fixture, content in
      try fixture.server.setFault(nil, for: "\(Self.builder).json")
      try fixture.server.setFault(.otherTag, for: Self.asset)

      let file = try await fixture.fetch(Self.asset, with: try fixture.client())

      #expect(try ReleaseFixture.bytes(file.path) == content)
      #expect(fixture.server.transfers(of: Self.asset).count == 1)
    }
  }

  @Test func `another version without a digest is refused`() async throws {
    try await serving { fixture, _ in
      try fixture.server.setFault(.otherTag, for: Self.asset)
      await #expect {
        _ = try await fixture.fetch(Self.asset, with: try fixture.client())
      } throws: { error in
        guard case DownloadError.otherContent = error else { return false }
        return true
      }
      #expect(!Files.exists(path(fixture)))
    }
  }

  @Test(arguments: [true, false])
  func `a file without a known digest comes in one transfer`(isListed: Bool) async throws {
    try await serving { fixture, content in
      let list: ReleaseServer.Fault = isListed ? .withoutDigest : .status(404)
      try fixture.server.setFault(list, for: "\(Self.builder).json")
      try fixture.server.setFault(.vague, for: "\(Self.asset).headers")
      try fixture.server.publish(content, as: Self.asset, tag: "v0.15.0", in: Self.builder)
      try fixture.server.setLatest("v0.15.0", in: Self.builder)

      let file = try await fixture.fetch(Self.asset, with: try fixture.client())

      #expect(try ReleaseFixture.bytes(file.path) == content)
      #expect(fixture.server.transfers(of: Self.asset).count == 1)
    }
  }
}
