import Foundation
import QMPClient
import QVMControl
import TestSupport
import Testing

/// A base image under an overlay stays as it was, or the instance isn't booted.
@Suite(.timeLimit(.minutes(15))) struct ChangedBaseImageTests {
  private static let fetchAgain =
    "qvm pull --release v0.1.0 --platform x86-64 haiku r1beta5"

  private func words(_ command: String) -> [String] {
    command.split(separator: " ").dropFirst().map(String.init)
  }

  enum Damage: String, CaseIterable { case flipped, cut, gone, goneWithRecord, replaced }

  private func damage(_ damage: Damage, in sandbox: Sandbox) async throws {
    let file = ReleasedImage.file("v0.1.0", in: sandbox)
    switch damage {
    case .flipped: try ReleasedImage.flipByte(of: file)
    case .cut:
      try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file.path)
      let handle = try FileHandle(forUpdating: file)
      try handle.truncate(atOffset: try handle.seekToEnd() - 1)
      try handle.close()
    case .gone: try FileManager.default.removeItem(at: file)
    case .goneWithRecord: try FileManager.default.removeItem(at: file.deletingLastPathComponent())
    case .replaced:
      // With one byte more or less at another place, and a record that says that all is well.
      let other = ReleasedImage.file("v0.2.0", in: sandbox)
      try FileManager.default.removeItem(at: file)
      try FileManager.default.copyItem(at: other, to: file)
      let record = ReleasedImage.record("v0.1.0", in: sandbox)
      try FileManager.default.removeItem(at: record)
      try FileManager.default.copyItem(
        at: ReleasedImage.record("v0.2.0", in: sandbox), to: record)
    }
  }

  @Test(arguments: Damage.allCases)
  func `a damaged base image is refused, and the command that is named brings it back`(
    kind: Damage
  ) async throws {
    try await Sandbox.with { sandbox in
      let server = try await ReleasedImage.serve("v0.1.0", in: &sandbox)
      let first = try await sandbox.boot("a")
      #expect(first.status == 0, "\(first.err)")
      _ = try await sandbox.qvm("stop", "--force", "a")
      let bytes = try Data(contentsOf: ReleasedImage.file("v0.1.0", in: sandbox))
      // A newer release must not take its place.
      try await ReleasedImage.publish("v0.2.0", on: server, in: sandbox)
      #expect(try await sandbox.qvm(["pull", "--refresh"] + ReleasedImage.words).status == 0)
      _ = try await sandbox.boot("b")
      try await damage(kind, in: sandbox)

      for command in [["start", "-d", "a"], ["run", "-d", "--name", "a"] + ReleasedImage.words] {
        let refused = try await sandbox.qvm(command)
        #expect(refused.status == 1)
        #expect(refused.err.contains("images/v0.1.0/\(ReleasedImage.asset)"), "\(refused.err)")
        #expect(refused.err.contains("'\(Self.fetchAgain)'"), "\(refused.err)")
      }
      #expect(try await sandbox.status("b")["phase"]?.string == "running")
      #expect(try await sandbox.status("a")["phase"]?.string == "stopped")

      let again = try await sandbox.qvm(words(Self.fetchAgain))
      #expect(again.status == 0, "\(again.err)")
      #expect(try Data(contentsOf: ReleasedImage.file("v0.1.0", in: sandbox)) == bytes)
      let start = try await sandbox.qvm("start", "-d", "a")
      #expect(start.status == 0, "\(start.err)")
      withExtendedLifetime(server) {}
    }
  }

  @Test(arguments: [[], ["--refresh"]])
  func `pull refuses an image that has changed in its place, and names what brings it back`(
    options: [String]
  ) async throws {
    try await Sandbox.with { sandbox in
      let server = try await ReleasedImage.serve("v0.1.0", in: &sandbox)
      #expect(try await sandbox.qvm(["pull"] + ReleasedImage.words).status == 0)
      try await damage(.flipped, in: sandbox)
      let refused = try await sandbox.qvm(["pull"] + options + ReleasedImage.words)
      #expect(refused.status == 1)
      #expect(
        refused.reports(
          ImageError.changed(path: ReleasedImage.file("v0.1.0", in: sandbox).path, .content)),
        "\(refused.err)")
      #expect(refused.err.contains("'\(Self.fetchAgain)'"), "\(refused.err)")
      #expect(try await sandbox.qvm(words(Self.fetchAgain)).status == 0)
      #expect(try await sandbox.qvm(["pull"] + options + ReleasedImage.words).status == 0)
      withExtendedLifetime(server) {}
    }
  }

  @Test func `bytes that were swapped on the server never get under an overlay`() async throws {
    try await Sandbox.with { sandbox in
      let server = try await ReleasedImage.serve("v0.1.0", in: &sandbox)
      _ = try await sandbox.boot("a")
      _ = try await sandbox.qvm("stop", "--force", "a")
      let file = ReleasedImage.file("v0.1.0", in: sandbox)
      let bytes = try Data(contentsOf: file)
      try await ReleasedImage.publish("v0.1.0", mark: "swapped", on: server, in: sandbox)

      #expect(try await sandbox.qvm(["pull", "--refresh"] + ReleasedImage.words).status == 0)
      #expect(try await sandbox.qvm(words(Self.fetchAgain)).status == 0)
      #expect(try Data(contentsOf: file) == bytes)

      // Lost, with its record: the instance alone knows what it was.
      try FileManager.default.removeItem(at: file.deletingLastPathComponent())
      let refused = try await sandbox.qvm(words(Self.fetchAgain))
      #expect(refused.status == 1)
      #expect(refused.err.contains(ReleasedImage.name), "\(refused.err)")
      #expect(refused.err.contains("'qvm rm a'"), "\(refused.err)")
      #expect(!FileManager.default.fileExists(atPath: file.path))
      // By any other way it comes under its name, it is not booted.
      #expect(try await sandbox.qvm(["pull"] + ReleasedImage.words).status == 0)
      let start = try await sandbox.qvm("start", "-d", "a")
      #expect(start.status == 1)
      #expect(start.reports(ImageError.changed(path: file.path, .replaced)), "\(start.err)")

      #expect(try await sandbox.qvm("rm", "a").status == 0)
      #expect(try await sandbox.qvm(words(Self.fetchAgain)).status == 0)
      #expect(try await sandbox.boot("a").status == 0)
    }
  }

  @Test func `an image is hashed again only when its file looks different`() async throws {
    try await Sandbox.with { sandbox in
      let server = try await ReleasedImage.serve("v0.1.0", in: &sandbox)
      let count = try await sandbox.watchDigests()
      _ = try await sandbox.boot("a")
      let fetched = count()
      _ = try await sandbox.qvm("stop", "--force", "a")
      func start() async throws -> (status: Int32, hashes: Int) {
        let before = count()
        let output = try await sandbox.qvm("start", "-d", "a")
        _ = try await sandbox.qvm("stop", "--force", "a")
        return (output.status, count() - before)
      }
      #expect(fetched >= 1)
      #expect(try await start() == (0, 0))

      let file = ReleasedImage.file("v0.1.0", in: sandbox)
      // Another time.
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSince1970: 1_700_000_000)], ofItemAtPath: file.path)
      #expect(try await start() == (0, 1))
      #expect(try await start() == (0, 0))
      // Another inode.
      let copy = file.deletingLastPathComponent().appending(path: "copy")
      try FileManager.default.copyItem(at: file, to: copy)
      try FileManager.default.removeItem(at: file)
      try FileManager.default.moveItem(at: copy, to: file)
      #expect(try await start() == (0, 1))
      #expect(try await start() == (0, 0))
      // A record from before there were stamps.
      let record = ReleasedImage.record("v0.1.0", in: sandbox)
      var json = try #require(
        try JSONValue(parsing: try Data(contentsOf: record).map { $0 }).object)
      json["inode"] = nil
      json["modified"] = nil
      try Data(JSONValue.object(json).bytes).write(to: record)
      #expect(try await start() == (0, 1))
      #expect(try await start() == (0, 0))
      let state = try await sandbox.qvm("images", "--json").json["images"]?.array?.first?["state"]
      #expect(state?.string == "ok")
      withExtendedLifetime(server) {}
    }
  }

  @Test func `a release that doesn't have the image is told, and a bad tag is misuse`()
    async throws
  {
    try await Sandbox.with { sandbox in
      let server = try await ReleasedImage.serve("v0.1.0", in: &sandbox)
      let absent = try await sandbox.qvm(["pull", "--release", "v0.9.9"] + ReleasedImage.words)
      #expect(absent.status == 1)
      #expect(
        absent.reports(
          ReleaseError.noSuchRelease(tag: "v0.9.9", page: "", available: ["v0.1.0"])),
        "\(absent.err)")
      let bad = try await sandbox.qvm(["pull", "--release", "../x"] + ReleasedImage.words)
      #expect(bad.status == 64)
      withExtendedLifetime(server) {}
    }
  }
}
