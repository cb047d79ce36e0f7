import Foundation
import QMPClient
import TestSupport
import Testing

@testable import QVMControl

@Suite struct StreamingDigestTests {
  /// Follows a file that a closure writes bit by bit; the digest, and that of the whole file by
  /// another way.
  private func following(
    from prefix: Data,
    _ write: @escaping @Sendable (FileHandle, StreamingDigest) async throws -> Void
  ) async throws -> (found: StreamingDigest.Digest?, expected: String?) {
    let path = FileManager.default.temporaryDirectory.path + "/qvm-growing-\(UUID())"
    defer { try? Files.remove(path) }
    try Files.write(Array(prefix), to: path)
    let loop = try #require(EventLoop.shared)
    return try await withTaskExecutorPreference(loop) {
      let digest = StreamingDigest(of: path, on: loop)
      async let found = digest.follow()
      let handle = try #require(FileHandle(forWritingAtPath: path))
      try handle.seekToEnd()
      try await write(handle, digest)
      try handle.close()
      digest.complete()
      return (try await found, try await FileDigest.sha256(of: path, on: loop))
    }
  }

  @Test func `what was there and what comes are one digest`() async throws {
    let parts = (0..<6).map { _ in ReleaseFixture.randomBytes(Int.random(in: 1...700_000)) }
    let (found, expected) = try await following(from: parts[0]) { handle, _ in
      for part in parts.dropFirst() {
        try handle.write(contentsOf: part)
        try await Task.sleep(for: .milliseconds(30))
      }
    }
    #expect(found?.sha256 == expected)
    #expect(found?.size == parts.map(\.count).reduce(0, +))
  }

  @Test func `a file that begins anew has the digest of what it is then`() async throws {
    let second = ReleaseFixture.randomBytes(300_000)
    let (found, expected) = try await following(from: ReleaseFixture.randomBytes(500_000)) {
      handle, digest in
      try await Task.sleep(for: .milliseconds(50))
      try handle.truncate(atOffset: 0)
      digest.restart()
      try handle.write(contentsOf: second)
    }
    #expect(found?.sha256 == expected)
    #expect(found?.size == second.count)
  }

  @Test func `an empty file has a digest too`() async throws {
    let (found, expected) = try await following(from: Data()) { _, _ in }
    #expect(found?.sha256 == expected)
    #expect(found?.size == 0)
  }

  @Test func `no process stays when the wait is cancelled`() async throws {
    let path = FileManager.default.temporaryDirectory.path + "/qvm-growing-\(UUID())"
    let loop = try #require(EventLoop.shared)
    let task = Task(executorPreference: loop) {
      try await StreamingDigest(of: path, on: loop).follow()
    }
    try await Task.sleep(for: .milliseconds(50))
    task.cancel()
    await #expect(throws: CancellationError.self) { _ = try await task.value }
  }
}
