import Foundation
import QMPClient
import TestSupport
import Testing

@testable import QVMControl

@Suite struct ImageUsersTests {
  private func with(_ body: (Cache) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "qvm-users-\(UUID().uuidString.prefix(8))")
    defer { try? FileManager.default.removeItem(at: folder) }
    let cache = Cache(path: folder.path)
    try cache.prepare()
    try body(cache)
  }

  /// An instance with a record that names a base image, and a disk that names another.
  private func add(
    _ name: String, to cache: Cache, record: String?, disk: String?, digest: String? = nil
  ) throws {
    let files = InstanceFiles(folder: "\(cache.instances)/\(name)")
    try Files.makeFolder(files.folder)
    if let record {
      let target = try FirmwareTests.target("netbsd x86-64", "10.1")
      let json = InstanceRecord(
        name: name, target: target, createdAt: .now, baseImage: record, baseDigest: digest,
        options: JSONObject()
      ).json
      try JSONFile.write(json, to: files.record)
    }
    if let disk { try Files.write(overlay(over: disk), to: files.disk) }
  }

  /// The beginning of a qcow2 file whose backing file is named behind its header.
  private func overlay(over path: String, claiming length: Int? = nil) -> [UInt8] {
    var head = [UInt8](repeating: 0, count: 104)
    head.replaceSubrange(0..<8, with: [0x51, 0x46, 0x49, 0xFB, 0, 0, 0, 3])
    head[15] = 104
    let length = length ?? path.utf8.count
    head[18] = UInt8(length >> 8)
    head[19] = UInt8(length & 0xFF)
    return head + Array(path.utf8)
  }

  @Test func `an image is used by the instances whose record or disk names it`() throws {
    try with { cache in
      let image = "\(cache.images)/v1/netbsd-10.1-x86-64.qcow2"
      let other = "\(cache.images)/v2/netbsd-10.1-x86-64.qcow2"
      try add("both", to: cache, record: image, disk: image, digest: "aa")
      try add("disk", to: cache, record: nil, disk: "/elsewhere/v1/netbsd-10.1-x86-64.qcow2")
      try add("record", to: cache, record: image, disk: nil)
      try add("two", to: cache, record: image, disk: other)
      let users = try ImageUsers(in: cache)
      #expect(users.of(image) == ["both", "disk", "record", "two"])
      #expect(users.of(other) == ["two"])
      #expect(users.of("\(cache.images)/v1/netbsd-10.0-x86-64.qcow2").isEmpty)
      #expect(users.digests(of: image) == ["aa"])
      #expect(users.unknown.isEmpty)
    }
  }

  @Test func `an instance with a disk that tells nothing is named`() throws {
    try with { cache in
      try add("raw", to: cache, record: nil, disk: nil)
      #expect(try ImageUsers(in: cache).unknown.isEmpty, "without a disk nothing can be lost")
      try Files.write(Array("no qcow2".utf8), to: "\(cache.instances)/raw/disk.qcow2")
      #expect(try ImageUsers(in: cache).unknown == ["raw"])
    }
  }

  @Test func `what is being created counts while its maker lives`() throws {
    try with { cache in
      let image = "\(cache.images)/v1/netbsd-10.1-x86-64.qcow2"
      try add(".new-x-01020304", to: cache, record: image, disk: nil)
      try add(".removed-y-01020304", to: cache, record: image, disk: nil)
      let lock = try #require(
        try FileLock.attempt("\(cache.instances)/.new-x-01020304/vm.lock"))
      #expect(try ImageUsers(in: cache).of(image) == [".new-x-01020304"])
      lock.release()
      #expect(try ImageUsers(in: cache).of(image).isEmpty)
    }
  }

  @Test func `a folder of instances that can't be read is no empty one`() throws {
    try with { cache in
      try Files.removeTree(cache.instances)
      try Files.write([], to: cache.instances)
      #expect(throws: FileError.self) { try ImageUsers(in: cache) }
      #expect(throws: FileError.self) { try PrunePlan(cache) }
    }
  }

  @Test func `a backing file's name is read within its bounds`() throws {
    try with { cache in
      let path = "\(cache.path)/disk"
      func backing(_ bytes: [UInt8]) throws -> String? {
        try Files.write(bytes, to: path)
        return try Qcow2Header.backingFile(of: path)
      }
      let named = try backing(overlay(over: "/a,b/c.qcow2"))
      #expect(named == "/a,b/c.qcow2")
      var none = overlay(over: "/x")
      none[15] = 0
      let unnamed = try backing(none)
      #expect(unnamed == nil)
      #expect(throws: Qcow2Header.Problem.truncated) {
        try backing(overlay(over: "/x", claiming: 3))
      }
      #expect(throws: Qcow2Header.Problem.implausible) {
        try backing(overlay(over: "/x", claiming: 1024))
      }
      for count in 0..<20 {
        #expect(throws: Qcow2Header.Problem.self) {
          try backing(Array(overlay(over: "/x").prefix(count)))
        }
      }
    }
  }
}
