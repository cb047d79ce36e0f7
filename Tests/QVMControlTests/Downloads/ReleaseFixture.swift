import Foundation
import QMPClient
import Synchronization
import TestSupport

@testable import QVMControl

/// A release server and an empty cache for one test, on the shared event loop.
struct ReleaseFixture: Sendable {
  let folder: URL
  let server: ReleaseServer
  let cache: Cache
  let loop: EventLoop
  let heard = Heard()

  /// What the code under test said while it worked.
  final class Heard: Sendable {
    let notices = Mutex<[String]>([])
    let events = Mutex<[(label: String, event: ProgressReporter.Event)]>([])

    /// The different sizes that were shown one after the other.
    var sizes: [Int] {
      let events = events.withLock { $0 }
      return events.reduce(into: []) { sizes, event in
        if case .advanced(let size) = event.event, sizes.last != size { sizes.append(size) }
      }
    }
  }

  static func with(
    secure: Bool = false, _ body: @Sendable @escaping (ReleaseFixture) async throws -> Void
  ) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "qvm-release-\(UUID().uuidString.prefix(8))")
    defer { try? FileManager.default.removeItem(at: folder) }
    guard let loop = EventLoop.shared else { throw Sandbox.Failure("no event loop") }
    let fixture = ReleaseFixture(
      folder: folder,
      server: try ReleaseServer.start(root: folder.appending(path: "server"), secure: secure),
      cache: Cache(path: folder.appending(path: "cache").path), loop: loop)
    // The server ends with its last reference, and the test may need only its address.
    defer { withExtendedLifetime(fixture.server) {} }
    try fixture.cache.prepare()
    try await withTaskExecutorPreference(loop) { try await body(fixture) }
  }

  /// A client that doesn't wait long.
  func client(base: String? = nil) throws -> ReleaseClient {
    var client = ReleaseClient(
      try ReleaseSource(base: base ?? server.baseURL), cache: cache,
      progress: ProgressReporter { label, event in
        heard.events.withLock { $0.append((label, event)) }
      },
      notify: { notice in heard.notices.withLock { $0.append(notice) } }, on: loop)
    client.limits.pause = .milliseconds(5)
    client.limits.attempts = 3
    client.limits.connectSeconds = 5
    client.limits.stallSeconds = 1
    client.limits.lookUpSeconds = 2
    client.limits.listingSeconds = 2
    return client
  }

  /// Removes what interrupted downloads have left.
  func removeLeftovers() throws {
    for leftover in DownloadLeftovers.all(in: cache) {
      _ = try DownloadLeftovers.remove(of: leftover.name, in: cache)
    }
  }

  /// Finds and downloads an asset as the cache's parts do.
  func fetch(
    _ asset: String, in repository: String = "freebsd-builder", with client: ReleaseClient
  ) async throws -> Download.Complete {
    try await client.once(asset, existing: { nil }) { lock in
      let found = try await client.find(asset, in: repository)
      let download = Download(asset: found, client: client, lock: lock)
      let complete = try await download.fetch()
      download.reportUnverified(complete)
      return complete
    }
  }

  /// The server's port.
  var port: Int {
    get throws {
      guard let port = URL(string: server.baseURL)?.port else { throw Sandbox.Failure("no port") }
      return port
    }
  }

  /// The names in the cache's folder of downloads.
  var downloads: [String] { Files.list(cache.downloads) }

  /// Runs a program to its end; the test fails where that fails.
  static func run(_ program: String, _ arguments: [String]) throws {
    // Not Foundation's Process: it lets other children inherit what it opens.
    let done = DispatchSemaphore(value: 0)
    let process = try ChildProcess(.init("/usr/bin/env", [program] + arguments))
    process.whenEnded { _ in done.signal() }
    done.wait()
    guard process.end == .exited(0) else { throw Sandbox.Failure("\(program) failed") }
  }

  static func randomBytes(_ count: Int) -> Data {
    var generator = SystemRandomNumberGenerator()
    var data = Data(capacity: count + 8)
    while data.count < count {
      withUnsafeBytes(of: generator.next()) { data.append(contentsOf: $0) }
    }
    return data.prefix(count)
  }

  /// A qcow2 image of about a megabyte that can't be compressed.
  func makeImage() throws -> Data {
    let raw = folder.appending(path: "\(UUID()).raw")
    let image = folder.appending(path: "\(UUID()).qcow2")
    try Self.randomBytes(1 << 20).write(to: raw)
    try Self.run(
      try Tool.qemuImg.url.path, ["convert", "-f", "raw", "-O", "qcow2", raw.path, image.path])
    return try Data(contentsOf: image)
  }

  /// The bytes of a file as its digest is compared.
  static func bytes(_ path: String) throws -> Data { try Data(contentsOf: URL(filePath: path)) }
}
