import Foundation
import QMPClient
import Synchronization
import TestSupport
import Testing

@testable import QVMControl

@Suite struct DownloadTests {
  private static let asset = "freebsd-14.2-x86-64.qcow2"
  private static let builder = "freebsd-builder"
  private static let partial = "freebsd-14.2-x86-64.qcow2@v1.0.0.partial"
  private static let size = 300_000

  /// A server whose latest release has one file of random bytes.
  private func serving(
    secure: Bool = false,
    _ body: @Sendable @escaping (ReleaseFixture, Data) async throws -> Void
  ) async throws {
    try await ReleaseFixture.with(secure: secure) { fixture in
      let content = ReleaseFixture.randomBytes(Self.size)
      try fixture.server.publish(content, as: Self.asset, tag: "v1.0.0", in: Self.builder)
      try fixture.server.setLatest("v1.0.0", in: Self.builder)
      try await body(fixture, content)
    }
  }

  private func partialSize(_ fixture: ReleaseFixture) -> Int? {
    Files.information("\(fixture.cache.downloads)/\(Self.partial)")?.size
  }

  @Test func `a file arrives whole, with its digest, in one transfer`() async throws {
    try await serving { fixture, content in
      let file = try await fixture.fetch(Self.asset, with: try fixture.client())

      #expect(file.size == Self.size)
      #expect(try ReleaseFixture.bytes(file.path) == content)
      #expect(file.sha256?.count == 64)
      let transfers = fixture.server.transfers(of: Self.asset)
      #expect(transfers.map(\.status) == [200])
      #expect(transfers.map(\.range) == [nil])
      #expect(
        fixture.downloads == [Self.partial, "\(Self.partial).headers", "\(Self.partial).json"])
    }
  }

  @Test func `an interrupted download resumes where it stopped`() async throws {
    try await serving { fixture, content in
      try fixture.server.setFault(.times(1, .truncate(at: 100_000)), for: Self.asset)

      let file = try await fixture.fetch(Self.asset, with: try fixture.client())

      #expect(try ReleaseFixture.bytes(file.path) == content)
      #expect(fixture.server.transfers(of: Self.asset).map(\.range) == [nil, "bytes=100000-"])
    }
  }

  @Test func `a download that ends early is an error that keeps what came`() async throws {
    try await serving { fixture, content in
      try fixture.server.setFault(.truncate(at: 100_000), for: Self.asset)
      let client = try fixture.client()

      do {
        _ = try await fixture.fetch(Self.asset, with: client)
        Issue.record("no error")
      } catch DownloadError.interrupted(_, _, let received, let total) {
        #expect(received == 100_000)
        #expect(total == Self.size)
      }
      #expect(partialSize(fixture) == 100_000)

      try fixture.server.setFault(nil, for: Self.asset)
      let file = try await fixture.fetch(Self.asset, with: client)
      #expect(try ReleaseFixture.bytes(file.path) == content)
      #expect(fixture.server.transfers(of: Self.asset).last?.range == "bytes=100000-")
    }
  }

  @Test func `a file that changed between two runs is downloaded anew`() async throws {
    try await serving { fixture, _ in
      try fixture.server.setFault(.truncate(at: 100_000), for: Self.asset)
      let client = try fixture.client()
      _ = try? await fixture.fetch(Self.asset, with: client)
      #expect(partialSize(fixture) == 100_000)
      let other = ReleaseFixture.randomBytes(Self.size)
      try fixture.server.publish(other, as: Self.asset, tag: "v1.0.0", in: Self.builder)
      try fixture.server.setFault(nil, for: Self.asset)

      let file = try await fixture.fetch(Self.asset, with: client)

      #expect(try ReleaseFixture.bytes(file.path) == other)
      #expect(fixture.server.transfers(of: Self.asset).last?.range == nil)
    }
  }

  @Test func `a file that changes between the question and the rest of it is not mixed`()
    async throws
  {
    try await serving { fixture, _ in
      try fixture.server.setFault(.truncate(at: 100_000), for: Self.asset)
      var client = try fixture.client()
      client.limits.attempts = 1
      _ = try? await fixture.fetch(Self.asset, with: client)
      try fixture.server.setFault(nil, for: Self.asset)
      let found = try await client.find(Self.asset, in: Self.builder)
      let other = ReleaseFixture.randomBytes(Self.size)
      try fixture.server.publish(other, as: Self.asset, tag: "v1.0.0", in: Self.builder)

      await #expect {
        _ = try await client.once(Self.asset, existing: { nil }) { lock in
          try await Download(asset: found, client: client, lock: lock).fetch()
        }
      } throws: { error in
        guard case DownloadError.wrongDigest = error else { return false }
        return true
      }
      let transfers = fixture.server.transfers(of: Self.asset)
      #expect(transfers.suffix(2).map(\.range) == ["bytes=100000-", nil])
      #expect(transfers.suffix(2).map(\.status) == [200, 200])
      #expect(partialSize(fixture) == nil)
    }
  }

  @Test func `a web page in the place of the file is thrown away, and the file asked for again`()
    async throws
  {
    try await serving { fixture, content in
      try fixture.server.setFault(.times(2, .html), for: Self.asset)

      let file = try await fixture.fetch(Self.asset, with: try fixture.client())

      #expect(try ReleaseFixture.bytes(file.path) == content)
      #expect(fixture.server.transfers(of: Self.asset).map(\.range) == [nil, nil, nil])
    }
  }

  @Test func `an endless web page is reported as what it is, and nothing of it is kept`()
    async throws
  {
    try await serving { fixture, _ in
      try fixture.server.setFault(.html, for: Self.asset)
      let url = "\(fixture.server.baseURL)/freebsd-builder/releases/download/v1.0.0/\(Self.asset)"
      await #expect(throws: DownloadError.otherContent(url: url, found: "a web page")) {
        _ = try await fixture.fetch(Self.asset, with: try fixture.client())
      }
      #expect(partialSize(fixture) == nil)
    }
  }

  @Test func `a server without ranges is asked for all of it again`() async throws {
    try await serving { fixture, content in
      let client = try fixture.client()
      try fixture.server.setFault(.truncate(at: 100_000), for: Self.asset)
      _ = try? await fixture.fetch(Self.asset, with: client)
      try fixture.server.setFault(.withoutRanges, for: Self.asset)

      let file = try await fixture.fetch(Self.asset, with: client)

      #expect(try ReleaseFixture.bytes(file.path) == content)
    }
  }

  @Test func `a complete partial is taken without asking for a byte`() async throws {
    try await serving { fixture, content in
      let client = try fixture.client()
      _ = try await fixture.fetch(Self.asset, with: client)
      try fixture.server.forgetRequests()

      let file = try await fixture.fetch(Self.asset, with: client)

      #expect(try ReleaseFixture.bytes(file.path) == content)
      #expect(fixture.server.transfers(of: Self.asset).isEmpty)
    }
  }

  @Test func `a partial file without a description is not trusted`() async throws {
    try await serving { fixture, content in
      let path = "\(fixture.cache.downloads)/\(Self.partial)"
      try Files.write([UInt8](repeating: 7, count: 5000), to: path)

      let file = try await fixture.fetch(Self.asset, with: try fixture.client())

      #expect(try ReleaseFixture.bytes(file.path) == content)
      #expect(fixture.server.transfers(of: Self.asset).map(\.range) == [nil])
    }
  }

  @Test(arguments: [ReleaseServer.Fault.status(503), .status(429), .drop, .hang])
  func `a failure that passes is waited out`(fault: ReleaseServer.Fault) async throws {
    try await serving { fixture, content in
      try fixture.server.setFault(.times(2, fault), for: Self.asset)

      let file = try await fixture.fetch(Self.asset, with: try fixture.client())

      #expect(try ReleaseFixture.bytes(file.path) == content)
      #expect(fixture.server.transfers(of: Self.asset).last?.status == 200)
    }
  }

  @Test func `a server that stays silent is given up after some attempts`() async throws {
    try await serving { fixture, _ in
      try fixture.server.setFault(.hang, for: Self.asset)
      var client = try fixture.client()
      client.limits.attempts = 2
      await #expect {
        _ = try await fixture.fetch(Self.asset, with: client)
      } throws: { error in
        guard case DownloadError.tooSlow = error else { return false }
        return true
      }
    }
  }

  @Test(.timeLimit(.minutes(1)))
  func `a trickle is given up after some attempts, and what came is kept`() async throws {
    try await serving { fixture, _ in
      try fixture.server.setFault(.slow(400), for: Self.asset)
      var client = try fixture.client()
      client.limits.attempts = 2
      await #expect {
        _ = try await fixture.fetch(Self.asset, with: client)
      } throws: { error in
        guard case DownloadError.tooSlow = error else { return false }
        return true
      }
      #expect(fixture.server.transfers(of: Self.asset).map(\.status) == [200, 206])
      #expect(partialSize(fixture) ?? 0 > 400)
    }
  }

  @Test func `a refusal is reported at once, with its status`() async throws {
    try await serving { fixture, _ in
      try fixture.server.setFault(.status(403), for: Self.asset)
      let url = "\(fixture.server.baseURL)/freebsd-builder/releases/download/v1.0.0/\(Self.asset)"
      await #expect(throws: DownloadError.status(403, url: url)) {
        _ = try await fixture.fetch(Self.asset, with: try fixture.client())
      }
      #expect(fixture.server.transfers(of: Self.asset).count == 1)
    }
  }

  @Test func `a body of unknown length that ends early is found out by the listed size`()
    async throws
  {
    try await serving { fixture, _ in
      try fixture.server.setFault(.withoutLength(upTo: 100_000), for: Self.asset)
      await #expect {
        _ = try await fixture.fetch(Self.asset, with: try fixture.client())
      } throws: { error in
        guard case DownloadError.interrupted(_, _, 100_000, Self.size) = error else { return false }
        return true
      }
    }
  }

  @Test func `bytes that the release does not vouch for are thrown away`() async throws {
    try await serving { fixture, _ in
      try fixture.server.setFault(.wrongDigest, for: "freebsd-builder.json")
      await #expect {
        _ = try await fixture.fetch(Self.asset, with: try fixture.client())
      } throws: { error in
        guard case DownloadError.wrongDigest(_, _, let expected) = error else { return false }
        return expected == String(repeating: "0", count: 64)
      }
      #expect(partialSize(fixture) == nil)
    }
  }

  @Test(arguments: ["file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/x"])
  func `a redirect to another protocol is refused`(address: String) async throws {
    try await serving { fixture, _ in
      try fixture.server.redirect(Self.asset, to: address)
      await #expect {
        _ = try await fixture.fetch(Self.asset, with: try fixture.client())
      } throws: { error in
        guard case DownloadError.badRedirect = error else { return false }
        return true
      }
      #expect(fixture.downloads.isEmpty)
    }
  }

  @Test func `a redirect from https to http is refused`() async throws {
    try await serving(secure: true) { fixture, _ in
      let certificate = try #require(fixture.server.certificate)
      setenv("CURL_CA_BUNDLE", certificate.path, 1)
      defer { unsetenv("CURL_CA_BUNDLE") }
      let plain = try ReleaseServer.start(root: fixture.folder.appending(path: "plain"))
      try plain.publish(Data("evil".utf8), as: "x", tag: "v1", in: "r")
      try fixture.server.redirect(
        Self.asset, to: plain.baseURL.replacing("cross-platform-actions", with: "plain/r/v1/x"))

      await #expect {
        _ = try await fixture.fetch(Self.asset, with: try fixture.client())
      } throws: { error in
        guard case DownloadError.badRedirect = error else { return false }
        return true
      }
      #expect(plain.requests.isEmpty)
      // Without the redirect the same certificate will do.
      try FileManager.default.removeItem(
        at: fixture.server.root.appending(path: ".faults/\(Self.asset).redirect"))
      _ = try await fixture.fetch(Self.asset, with: try fixture.client())
    }
  }

  @Test func `an untrusted certificate is refused`() async throws {
    try await serving(secure: true) { fixture, _ in
      await #expect {
        _ = try await fixture.fetch(Self.asset, with: try fixture.client())
      } throws: { error in
        guard case DownloadError.insecure = error else { return false }
        return true
      }
    }
  }

  @Test func `many requests for the same file make one transfer`() async throws {
    try await serving { fixture, content in
      let done = "\(fixture.cache.path)/done"
      let client = try fixture.client()
      try fixture.server.setFault(.slow(1_000_000), for: Self.asset)
      let makers = try await withThrowingTaskGroup(of: Bool.self) { group in
        for _ in 0..<8 {
          group.addTask {
            try await client.once(Self.asset, existing: { Files.exists(done) ? false : nil }) {
              lock in
              let found = try await client.find(Self.asset, in: Self.builder)
              let file = try await Download(asset: found, client: client, lock: lock).fetch()
              try Files.rename(file.path, to: done)
              return true
            }
          }
        }
        return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
      }

      #expect(makers == 1)
      #expect(try ReleaseFixture.bytes(done) == content)
      #expect(fixture.server.transfers(of: Self.asset).count == 1)
      #expect(fixture.heard.notices.withLock { $0.count } == 7)
    }
  }

  @Test func `a waiting process shows the progress of another's download`() async throws {
    try await serving { fixture, content in
      // Slow enough for any number of looks; the fault is lifted when there were enough.
      try fixture.server.setFault(.slow(5_000), for: Self.asset)
      let done = "\(fixture.cache.path)/done"
      let second = ReleaseFixture.Heard()
      let make = { @Sendable (client: ReleaseClient) async throws in
        try await client.once(Self.asset, existing: { Files.exists(done) ? done : nil }) { lock in
          let found = try await client.find(Self.asset, in: Self.builder)
          let file = try await Download(asset: found, client: client, lock: lock).fetch()
          try Files.rename(file.path, to: done)
          return done
        }
      }
      let first = Task(executorPreference: fixture.loop) { try await make(try fixture.client()) }
      try await eventually("it downloads") {
        Files.exists("\(fixture.cache.downloads)/\(Self.partial)")
      }
      let follower = ReleaseClient(
        try ReleaseSource(base: fixture.server.baseURL), cache: fixture.cache,
        progress: ProgressReporter { label, event in
          second.events.withLock { $0.append((label, event)) }
        }, notify: { _ in }, on: fixture.loop)
      let following = Task(executorPreference: fixture.loop) { try await make(follower) }
      try await eventually("the follower shows sizes on the way") { second.sizes.count > 2 }
      try fixture.server.setFault(nil, for: Self.asset)
      _ = try await following.value
      _ = try await first.value

      let events = second.events.withLock { $0 }
      #expect(events.allSatisfy { $0.label == Self.asset })
      guard case .followed(_, let total)? = events.first?.event else {
        Issue.record("nothing was shown")
        return
      }
      #expect(total == Self.size)
      #expect(
        events.suffix(2).map(\.event) == [.advanced(to: Self.size), .ended(complete: true)])
      #expect(second.sizes.count > 3)
      #expect(second.sizes == second.sizes.sorted())
      #expect(fixture.server.transfers(of: Self.asset).count == 1)
    }
  }

  @Test func `the last bytes of another's download are counted although they were not seen`()
    async throws
  {
    try await serving { fixture, _ in
      let path = "\(fixture.cache.downloads)/\(Self.partial)"
      try Files.makeFolder(fixture.cache.downloads)
      try Files.write([UInt8](repeating: 7, count: 200), to: path)
      try JSONFile.write(.object(["size": 300]), to: "\(path).json")
      var following = FollowedDownload(
        Self.asset, in: fixture.cache, try fixture.client().progress)
      following.look()
      following.end(complete: true)
      #expect(
        fixture.heard.events.withLock { $0.map(\.event) } == [
          .followed(done: 200, total: 300), .advanced(to: 200), .advanced(to: 300),
          .ended(complete: true),
        ])
    }
  }

  @Test(.timeLimit(.minutes(1)))
  func `a cancelled download ends at once and keeps what came`() async throws {
    try await serving { fixture, content in
      try fixture.server.setFault(.slow(100_000), for: Self.asset)
      let arrived = Mailbox<Void>()
      let client = ReleaseClient(
        try ReleaseSource(base: fixture.server.baseURL), cache: fixture.cache,
        progress: ProgressReporter { _, event in
          if case .advanced(let bytes) = event, bytes > 0 { arrived.send(()) }
        }, notify: { _ in }, on: fixture.loop)
      let task = Task(executorPreference: fixture.loop) {
        try await fixture.fetch(Self.asset, with: client)
      }
      _ = await arrived.next()
      let cancelled = SuspendingClock.now
      task.cancel()
      await #expect(throws: CancellationError.self) { _ = try await task.value }
      #expect(cancelled.duration(to: .now) < .seconds(2))
      let kept = try #require(partialSize(fixture))
      #expect(kept > 0 && kept < Self.size)

      try fixture.server.setFault(nil, for: Self.asset)
      let file = try await fixture.fetch(Self.asset, with: try fixture.client())
      #expect(try ReleaseFixture.bytes(file.path) == content)
      #expect(fixture.server.transfers(of: Self.asset).last?.range == "bytes=\(kept)-")
    }
  }

  @Test func `waiting for another's download can be cancelled`() async throws {
    try await serving { fixture, _ in
      let client = try fixture.client()
      let path = "\(fixture.cache.downloads)/\(Self.asset).lock"
      let lock = try #require(try FileLock.attempt(path))
      let task = Task(executorPreference: fixture.loop) {
        try await fixture.fetch(Self.asset, with: client)
      }
      while fixture.heard.notices.withLock(\.isEmpty) { await Task.yield() }
      task.cancel()
      await #expect(throws: CancellationError.self) { _ = try await task.value }
      lock.release()
      #expect(fixture.server.requests.isEmpty)
    }
  }

  @Test func `progress begins, grows and ends`() async throws {
    try await serving { fixture, _ in
      try fixture.server.setFault(.slow(1_000_000), for: Self.asset)
      _ = try await fixture.fetch(Self.asset, with: try fixture.client())

      let events = fixture.heard.events.withLock { $0.map(\.event) }
      #expect(events.first == .began(done: 0, total: Self.size))
      #expect(events.last == .ended(complete: true))
      let sizes = events.compactMap { event in
        if case .advanced(let bytes) = event { bytes } else { nil }
      }
      #expect(sizes == sizes.sorted())
      #expect(sizes.last == Self.size)
    }
  }

  @Test func `a disk without room for a file is reported before anything is downloaded`()
    async throws
  {
    try await serving { fixture, _ in
      let client = try fixture.client()
      let free = try #require(Files.freeSpace(at: fixture.cache.downloads))
      let found = try await client.find(Self.asset, in: Self.builder)
      let huge = ReleaseClient.Asset(
        name: found.name, tag: found.tag, url: found.url, head: found.head,
        listed: .init(name: found.name, size: free * 2, sha256: nil))
      await #expect {
        _ = try await client.once(Self.asset, existing: { nil }) { lock in
          try await Download(asset: huge, client: client, lock: lock).fetch()
        }
      } throws: { error in
        guard case DownloadError.diskFull(_, free * 2, _) = error else { return false }
        return true
      }
      #expect(fixture.server.transfers(of: Self.asset).isEmpty)
    }
  }

  @Test func `pruning removes leftovers, but not what a process works on`() async throws {
    try await serving { fixture, _ in
      let folder = fixture.cache.downloads
      for name in ["a.tar@v1.partial", "a.tar@v1.partial.json", "b.tar@v1.partial", "c.tar.lock"] {
        try Files.write([1], to: "\(folder)/\(name)")
      }
      try Files.makeFolder("\(folder)/a.tar@v1.unpacked/bin")
      let lock = try #require(try FileLock.attempt("\(folder)/b.tar.lock"))

      try fixture.removeLeftovers()
      #expect(fixture.downloads == ["b.tar.lock", "b.tar@v1.partial"])

      lock.release()
      try fixture.removeLeftovers()
      #expect(fixture.downloads.isEmpty)
    }
  }
}
