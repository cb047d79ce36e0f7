import Foundation
import QMPClient
import TestSupport
import Testing

/// A cache at another place than where its instances were made.
@Suite(.timeLimit(.minutes(15))) struct MovedCacheTests {
  enum Way: String, Sendable, CaseIterable {
    case renamed, copied, restored

    /// The shell's words for it; `$1` is the old place, `$2` the new one.
    var script: String {
      switch self {
      case .renamed: #"mv "$1" "$2""#
      // Both are there then.
      case .copied: #"cp -a "$1" "$2""#
      case .restored: #"mkdir "$2" && tar -C "$1" -cf - . | tar -C "$2" -xf - && rm -rf "$1""#
      }
    }
  }

  private func backing(of disk: String, in sandbox: Sandbox) async throws -> String? {
    let info = try await sandbox.run(
      try Tool.qemuImg.url, ["info", "--output=json", disk])
    return info.json["backing-filename"]?.string
  }

  /// Makes a disk as an older qvm did, which named the base image from the root.
  private func age(_ instance: String, in sandbox: Sandbox) async throws -> String {
    let image = try #require(sandbox.file("instance.json", of: instance)["baseImage"]?.string)
    let rebase = try await sandbox.run(
      try Tool.qemuImg.url,
      ["rebase", "-u", "-f", "qcow2", "-F", "qcow2", "-b", image, sandbox.disk(of: instance)])
    #expect(rebase.status == 0, "\(rebase.err)")
    return image
  }

  @Test(arguments: Way.allCases)
  func `instances start in it, those of an older qvm too, and the old place is not needed`(
    way: Way
  ) async throws {
    try await Sandbox.with { sandbox in
      let server = try await ReleasedImage.serve("v0.1.0", in: &sandbox)
      for name in ["new", "old"] {
        try await sandbox.makeSeed(name, ["--memory", "64M"] + ReleasedImage.words)
      }
      let relative = "../../images/v0.1.0/\(ReleasedImage.asset)"
      #expect(try await backing(of: sandbox.disk(of: "new"), in: sandbox) == relative)
      let before = try await age("old", in: sandbox)
      let place = sandbox.folder.appending(path: "else where/cache").path
      let moved = try await sandbox.run(
        URL(filePath: "/bin/sh"),
        ["-c", "mkdir \"${2%/*}\"; \(way.script)", "sh", sandbox.cache.path, place])
      #expect(moved.status == 0, "\(moved.err)")

      let old = sandbox
      var sandbox = sandbox
      sandbox.environment["QVM_CACHE"] = place
      // All of it counts as before.
      let images = try await sandbox.qvm("images", "--json").json["images"]?.array ?? []
      #expect(images.count == 1)
      #expect(images.first?["usedBy"]?.array?.compactMap(\.string) == ["new", "old"])
      #expect(images.first?["path"]?.string == "\(place)/images/v0.1.0/\(ReleasedImage.asset)")
      for name in ["new", "old"] {
        let start = try await sandbox.qvm("start", "-d", name)
        #expect(start.status == 0, "\(start.err)")
        #expect(start.err.contains("the cache was moved: ") == (name == "old"), "\(start.err)")
        #expect(start.err.contains(before) == (name == "old"), "\(start.err)")
        #expect(try await sandbox.qvm("stop", "--force", name).status == 0)
        let disk = "\(place)/instances/\(name)/disk.qcow2"
        #expect(try await backing(of: disk, in: sandbox) == relative)
        let read = try await sandbox.run(
          try Tool.qemuIO.url, ["-r", "-f", "qcow2", "-c", "read -P 0xa7 512k 64k", disk])
        #expect(!read.out.contains("verification failed"), "\(read.out)")
      }
      // Once is enough.
      let again = try await sandbox.qvm("start", "-d", "old")
      #expect(!again.err.contains("moved") && !again.err.contains(before), "\(again.err)")
      #expect(try await sandbox.qvm("stop", "--force", "old").status == 0)
      if way == .copied {
        #expect(try await old.qvm("start", "-d", "old").status == 0)
        #expect(try await old.qvm("stop", "--force", "old").status == 0)
      }
      withExtendedLifetime(server) {}
    }
  }

  @Test func `what is changed or missing in it is told by its new path, and can be fetched`()
    async throws
  {
    try await Sandbox.with { sandbox in
      let server = try await ReleasedImage.serve("v0.1.0", in: &sandbox)
      try await sandbox.makeSeed("old", ["--memory", "64M"] + ReleasedImage.words)
      _ = try await age("old", in: sandbox)
      let place = sandbox.folder.appending(path: "moved")
      try FileManager.default.copyItem(at: sandbox.cache, to: place)
      let disk = place.appending(path: "instances/old/disk.qcow2").path
      let first = sandbox.cache
      sandbox.environment["QVM_CACHE"] = place.path
      let image = place.appending(path: "images/v0.1.0/\(ReleasedImage.asset)")
      // Other bytes there are no reason to go on with those at the old place.
      try ReleasedImage.flipByte(of: image)
      let changed = try await sandbox.qvm("start", "-d", "old")
      #expect(changed.status == 1)
      #expect(changed.err.contains(image.path), "\(changed.err)")
      #expect(try await backing(of: disk, in: sandbox)?.hasPrefix(first.path) == true)

      try FileManager.default.removeItem(at: first)
      try FileManager.default.removeItem(at: image)
      let missing = try await sandbox.qvm("start", "-d", "old")
      #expect(missing.status == 1)
      #expect(missing.err.contains(image.path), "\(missing.err)")
      #expect(!missing.err.contains(first.path), "\(missing.err)")
      let pull = ["pull", "--release", "v0.1.0", "--platform", "x86-64"] + ReleasedImage.words
      #expect(missing.err.contains("'qvm \(pull.joined(separator: " "))'"))
      #expect(try await sandbox.qvm(pull).status == 0)
      let start = try await sandbox.qvm("start", "-d", "old")
      #expect(start.status == 0, "\(start.err)")
      #expect(try await sandbox.qvm("stop", "--force", "old").status == 0)
      withExtendedLifetime(server) {}
    }
  }
}
