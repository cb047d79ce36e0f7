import Foundation
import QMPClient
import TestSupport
import Testing

/// What `qvm verify` finds, and that it touches nothing else.
@Suite(.timeLimit(.minutes(15))) struct VerifyTests {
  private func results(in sandbox: Sandbox) async throws -> (Int32, [String: String]) {
    let output = try await sandbox.qvm("verify", "--json")
    #expect(output.json["schema"]?.int == 1)
    let pairs = (output.json["images"]?.array ?? []).compactMap { image -> (String, String)? in
      guard let name = image["name"]?.string, let release = image["release"]?.string else {
        return nil
      }
      return ("\(name)@\(release)", image["result"]?.string ?? "?")
    }
    return (output.status, Dictionary(uniqueKeysWithValues: pairs))
  }

  @Test func `verify finds what a glance and qemu-img don't, and says how to mend it`() async throws
  {
    try await Sandbox.with { sandbox in
      let none = try await sandbox.qvm("verify")
      #expect(none.status == 0)
      #expect(!FileManager.default.fileExists(atPath: sandbox.cache.path))

      let server = try await ReleasedImage.serve("v0.1.0", in: &sandbox)
      _ = try await sandbox.boot("a")
      try await ReleasedImage.publish("v0.2.0", on: server, in: sandbox)
      _ = try await sandbox.qvm(["pull", "--refresh"] + ReleasedImage.words)
      _ = try await sandbox.boot("b")
      let name = ReleasedImage.name
      // While their VMs run.
      var (status, found) = try await results(in: sandbox)
      #expect(status == 0)
      #expect(found == ["\(name)@v0.1.0": "ok", "\(name)@v0.2.0": "ok"])
      _ = try await sandbox.qvm("stop", "--force", "a")

      // One bit, with the time put back: only the digest tells.
      let file = ReleasedImage.file("v0.1.0", in: sandbox)
      let time = try FileManager.default.attributesOfItem(atPath: file.path)[.modificationDate]
      try ReleasedImage.flipByte(of: file)
      let check = try await sandbox.run(try Tool.qemuImg.url, ["check", "-q", file.path])
      #expect(check.status == 0)
      try FileManager.default.setAttributes(
        [.modificationDate: try #require(time)], ofItemAtPath: file.path)
      (status, found) = try await results(in: sandbox)
      #expect(status == 1)
      #expect(found == ["\(name)@v0.1.0": "changed", "\(name)@v0.2.0": "ok"])
      let text = try await sandbox.qvm("verify")
      #expect(text.err.contains("'qvm pull --release v0.1.0 --platform x86-64 haiku r1beta5'"))
      #expect(text.err.contains(file.path))
      #expect(text.out.contains("changed"))
      #expect(try await sandbox.status("b")["phase"]?.string == "running")
      #expect(try await sandbox.boot("c").status == 0)

      let pull = ["pull", "--release", "v0.1.0"] + ReleasedImage.words
      #expect(try await sandbox.qvm(pull).status == 0)
      let mended = try await sandbox.qvm("verify")
      #expect(mended.status == 0, "\(mended.out)\(mended.err)")
      #expect(try await sandbox.qvm("start", "-d", "a").status == 0)
    }
  }

  @Test func `headers, lengths, absence and lost records are told apart`() async throws {
    try await Sandbox.with { sandbox in
      for version in ["1", "2", "3", "4", "5"] {
        try await sandbox.plant(.demo, as: "haiku-\(version)-x86-64")
      }
      let folder = sandbox.cache.appending(path: "images/v0.0.0")
      func change(_ version: String, _ body: (FileHandle) throws -> Void) throws {
        let file = folder.appending(path: "haiku-\(version)-x86-64.qcow2")
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file.path)
        let handle = try FileHandle(forUpdating: file)
        try body(handle)
        try handle.close()
      }
      try change("1") { try $0.write(contentsOf: Data("XFI".utf8)) }
      try change("2") { try $0.truncate(atOffset: try $0.seekToEnd() - 1) }
      // The corrupt bit.
      try change("3") {
        try $0.seek(toOffset: 79)
        try $0.write(contentsOf: Data([2]))
      }
      try FileManager.default.removeItem(at: folder.appending(path: "haiku-4-x86-64.json"))
      let (status, found) = try await results(in: sandbox)
      #expect(status == 1)
      #expect(
        found == [
          "haiku-1-x86-64@v0.0.0": "damaged", "haiku-2-x86-64@v0.0.0": "changed",
          "haiku-3-x86-64@v0.0.0": "damaged", "haiku-4-x86-64@v0.0.0": "incomplete record",
          "haiku-5-x86-64@v0.0.0": "unverified",
        ])
    }
  }

  @Test func `what can't be looked at is told so, and the others are looked at`() async throws {
    try await Sandbox.with { sandbox in
      for version in ["1", "2"] { try await sandbox.plant(.demo, as: "haiku-\(version)-x86-64") }
      let folder = sandbox.cache.appending(path: "images/v0.0.0")
      func verify(failing calls: String, _ filter: [String] = []) async throws -> [String:
        JSONValue]
      {
        let output = try await sandbox.run(
          try Tool.strace.url,
          [
            "-f", "-qq", "-o", "/dev/null", "-e", "trace=\(calls)", "-e",
            "inject=\(calls):error=EACCES",
          ] + filter + [try Sandbox.program.path, "verify", "--json"])
        #expect(output.status == 1, "\(output.err)")
        let images = output.json["images"]?.array ?? []
        #expect(images.compactMap { $0["command"] }.isEmpty)
        return Dictionary(
          uniqueKeysWithValues: images.map { ($0["name"]?.string ?? "?", $0) })
      }
      let first = "haiku-1-x86-64"
      let image = folder.appending(path: "\(first).qcow2")
      var found = try await verify(failing: "openat", ["-P", image.path])
      #expect(found[first]?["result"]?.string == "not checked")
      #expect(found[first]?["reason"]?.string?.contains("cannot read \(image.path)") == true)
      #expect(found["haiku-2-x86-64"]?["result"]?.string == "unverified")

      // The first one has no stamp yet.
      found = try await verify(failing: "rename")
      #expect(found[first]?["result"]?.string == "not checked")
      #expect(found[first]?["reason"]?.string?.hasPrefix("is good, but ") == true)
      #expect(found.count == 2)

      let bin = sandbox.folder.appending(path: "bin")
      try await sandbox.writeProgram("kill -SEGV $$", to: bin.appending(path: "qemu-img"))
      sandbox.environment["PATH"] = "\(bin.path):\(sandbox.environment["PATH"] ?? "")"
      let (status, results) = try await results(in: sandbox)
      #expect(status == 1)
      #expect(Set(results.values) == ["not checked"])
      let text = try await sandbox.qvm("verify")
      #expect(text.err.contains("\(bin.path)/qemu-img cannot check \(first)"), "\(text.err)")
    }
  }

  @Test(arguments: ["\u{3}", "\u{1C}"])
  func `the keys that interrupt and quit end verify at once, and nothing is left`(key: String)
    async throws
  {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(.demo, as: "haiku-1-x86-64")
      let count = try await sandbox.watchDigests(script: "exec sleep 60")
      let terminal = try TerminalSession(try Sandbox.program, ["verify"], in: sandbox)
      try await terminal.expect("1 of 1: haiku-1-x86-64")
      try await eventually("the image is being hashed") { count() > 0 }
      let begin = ContinuousClock.now
      terminal.type(key)
      #expect(try await terminal.end() == 130)
      #expect(begin.duration(to: .now) < .seconds(3))
      try await eventually("no process is left") { sandbox.processes.isEmpty }
    }
  }
}
