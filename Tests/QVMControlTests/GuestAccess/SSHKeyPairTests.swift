import Foundation
import QMPClient
import TestSupport
import Testing

@testable import QVMControl

@Suite(.timeLimit(.minutes(5))) struct SSHKeyPairTests {
  private let folder: TemporaryFolder
  private var cache: Cache { Cache(path: folder.path) }

  init() throws { folder = try TemporaryFolder() }

  private func make() throws -> SSHKeyPair {
    let loop = try EventLoop()
    return try loop.run { try await SSHKeyPair.ensure(in: cache, on: loop) }
  }

  @Test func `the pair is made once, for its user only`() throws {
    #expect(SSHKeyPair.find(in: cache) == nil)
    let pair = try make()
    #expect(SSHKeyPair.find(in: cache) == pair)
    #expect(pair.privateKey == "\(folder.path)/keys/id_ed25519")
    #expect(Files.information(pair.privateKey)?.mode == 0o600)
    #expect(Files.information(cache.keys)?.mode == 0o700)
    let line = try pair.publicKey()
    #expect(line.hasPrefix("ssh-ed25519 "))
    #expect(line.hasSuffix(" qvm"))
    let bytes = try Files.read(pair.privateKey)
    #expect(try make() == pair)
    #expect(try Files.read(pair.privateKey) == bytes)
    #expect(Files.list(folder.path) == ["keys"])
  }

  @Test func `many that make it at once get the same one`() async throws {
    let cache = cache
    let lines = try await withThrowingTaskGroup(of: String.self) { group in
      for _ in 0..<8 {
        group.addTask {
          let loop = try EventLoop()
          return try loop.run { try await SSHKeyPair.ensure(in: cache, on: loop).publicKey() }
        }
      }
      return try await group.reduce(into: Set<String>()) { $0.insert($1) }
    }
    #expect(lines.count == 1)
    #expect(Files.list(folder.path) == ["keys"])
  }

  @Test func `what a copy has loosened or lost is mended`() throws {
    let pair = try make()
    let line = try pair.publicKey()
    try Files.setMode(0o644, of: pair.privateKey)
    try Files.setMode(0o755, of: cache.keys)
    try Files.remove("\(pair.privateKey).pub")
    #expect(try make() == pair)
    #expect(Files.information(pair.privateKey)?.mode == 0o600)
    #expect(Files.information(cache.keys)?.mode == 0o700)
    #expect(try pair.publicKey().hasPrefix(line.dropLast(" qvm".count)))
  }

  @Test func `half a pair is not replaced`() throws {
    let pair = try make()
    try Files.remove(pair.privateKey)
    #expect(throws: SSHKeyError.incomplete(folder: cache.keys)) { try make() }
    #expect(Files.list(cache.keys) == ["id_ed25519.pub"])
  }

  @Test func `what a killed process has left is removed later, and is no pair`() throws {
    let left = "\(folder.path)/.keys-0123"
    try Files.makeFolder(left)
    try Files.write([], to: "\(left)/id_ed25519")
    #expect(SSHKeyPair.leftovers(in: cache).isEmpty, "it may still be in the making")
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSinceNow: -600)], ofItemAtPath: left)
    #expect(SSHKeyPair.leftovers(in: cache) == [left])
    #expect(SSHKeyPair.find(in: cache) == nil)
    _ = try make()
    #expect(Files.list(folder.path) == ["keys"])
  }
}
