import Foundation
import QMPClient
import QVMControl
import TestSupport
import Testing

/// `qvm prune` removes what is not needed, and nothing else.
@Suite(.timeLimit(.minutes(15))) struct PruneTests {
  /// What `prune` says if it finds nothing.
  private static let nothing = "qvm: nothing to remove\n"

  private func kinds(_ output: Sandbox.Output) -> [String] {
    (output.json["removed"]?.array ?? []).map { item in
      "\(item["kind"]?.string ?? "?") \(item["name"]?.string ?? "?")"
    }
  }

  private func files(in sandbox: Sandbox) -> Set<String> {
    let all = try? FileManager.default.subpathsOfDirectory(atPath: sandbox.cache.path)
    return Set(all ?? [])
  }

  /// Puts in place what interrupted commands leave.
  private func leave(in sandbox: Sandbox) throws {
    func write(_ path: String, _ count: Int = 8192) throws {
      let file = sandbox.cache.appending(path: path)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(repeating: 1, count: count).write(to: file)
    }
    try write("downloads/netbsd-9.4-x86-64.qcow2@v0.7.0.partial")
    try write("downloads/netbsd-9.4-x86-64.qcow2@v0.7.0.partial.json")
    try write("downloads/netbsd-9.4-x86-64.qcow2.lock", 0)
    try write("downloads/resources-linux.tar@v2.0.0.unpacked/bin/qemu-img")
    try write("downloads/.demo-1-x86-64@builtin.raw.123.new")
    try write("instances/.removed-x-0a0b0c0d/disk.qcow2")
    try write("instances/.new-y-0a0b0c0d/vm.lock", 0)
    try write("images/v0.9.0/haiku-r1beta4-x86-64.json")
    try write("images/v0.9.0/.haiku-r1beta4-x86-64.json.77.new")
    // As a QEMU that is being replaced by a newer one lies there.
    try write("downloads/qemu-system-x86_64-linux.tar@v2.0.0.unpacked.old/bin/qemu")
    let abandoned = sandbox.runtime.appending(path: "qvm/0123456789abcdef")
    try FileManager.default.createDirectory(at: abandoned, withIntermediateDirectories: true)
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSinceNow: -3600)], ofItemAtPath: abandoned.path)
    try FileManager.default.createDirectory(
      at: sandbox.runtime.appending(path: "qvm/fedcba9876543210"),
      withIntermediateDirectories: true)
    // A link to an instance that is gone, and one to an instance that is there.
    let old = timespec(tv_sec: time(nil) - 3600, tv_nsec: 0)
    for (name, target) in [("00aa", "/nowhere/box"), ("00bb", sandbox.folder.path)] {
      let link = sandbox.runtime.appending(path: "qvm/\(name)").path
      try FileManager.default.createSymbolicLink(
        atPath: link, withDestinationPath: target)
      _ = [old, old].withUnsafeBufferPointer {
        utimensat(AT_FDCWD, link, $0.baseAddress, AT_SYMLINK_NOFOLLOW)
      }
    }
  }

  @Test func `prune lists and removes what is not needed, and keeps the rest`() async throws {
    try await Sandbox.with { sandbox in
      let nothing = try await sandbox.qvm("prune", "--yes")
      #expect(nothing.status == 0)
      #expect(nothing.out.isEmpty)
      #expect(nothing.err == Self.nothing)
      #expect(!FileManager.default.fileExists(atPath: sandbox.cache.path))

      try await sandbox.plant(.demo, as: "haiku-r1beta5-x86-64", tag: "v0.1.0")
      try await sandbox.plant(.demo, as: "netbsd-10.1-x86-64", tag: "v0.7.0")
      try await sandbox.plant(.demo, as: "netbsd-10.0-x86-64", tag: "v0.7.0")
      _ = try await sandbox.boot("box")
      _ = try await sandbox.qvm("run", "-d", "--name", "toy", "demo", "1")
      let kept = files(in: sandbox)
      try leave(in: sandbox)
      let all = files(in: sandbox)

      let dry = try await sandbox.qvm("prune", "--dry-run", "--json")
      #expect(
        kinds(dry) == [
          "image netbsd-10.0-x86-64@v0.7.0", "image netbsd-10.1-x86-64@v0.7.0",
          "record v0.9.0/.haiku-r1beta4-x86-64.json.77.new",
          "record v0.9.0/haiku-r1beta4-x86-64.json", "download demo-1-x86-64",
          "download netbsd-9.4-x86-64.qcow2",
          "download qemu-system-x86_64-linux.tar", "download resources-linux.tar",
          "instance .new-y-0a0b0c0d", "instance .removed-x-0a0b0c0d", "runtime 00aa",
          "runtime 0123456789abcdef",
        ])
      let bytes = try #require(dry.json["bytes"]?.int)
      #expect(bytes > 600_000)
      #expect(files(in: sandbox) == all)
      let table = try await sandbox.qvm("prune", "--dry-run")
      #expect(table.out.contains("total"))
      #expect(files(in: sandbox) == all)

      // Without a terminal no user can be asked.
      let refused = try await sandbox.qvm("prune")
      #expect(refused.status == 1)
      #expect(refused.advises(PruningError.unconfirmed(count: 1)))
      #expect(files(in: sandbox) == all)

      let prune = try await sandbox.qvm("prune", "-y", "--json")
      #expect(prune.status == 0, "\(prune.err)")
      #expect(kinds(prune) == kinds(dry))
      #expect(prune.json["bytes"]?.int == bytes)
      let gone = Set(
        [
          "images/v0.7.0", "images/v0.7.0/netbsd-10.1-x86-64.qcow2",
          "images/v0.7.0/netbsd-10.1-x86-64.json", "images/v0.7.0/netbsd-10.0-x86-64.qcow2",
          "images/v0.7.0/netbsd-10.0-x86-64.json",
        ])
      #expect(files(in: sandbox).symmetricDifference(kept.subtracting(gone)) == [])
      let runtime = try FileManager.default.contentsOfDirectory(
        atPath: sandbox.runtime.appending(path: "qvm").path)
      #expect(runtime.contains("fedcba9876543210"), "that one may be about to be used")
      #expect(runtime.sorted() == ["00bb", "fedcba9876543210"])
      for name in ["box", "toy"] {
        #expect(try await sandbox.status(name)["phase"]?.string == "running")
      }
      #expect(try await sandbox.qvm("prune").err == Self.nothing)
    }
  }

  @Test func `on a terminal prune asks, and only yes is yes`() async throws {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(.demo, as: "netbsd-10.1-x86-64")
      let file = sandbox.cache.appending(path: "images/v0.0.0/netbsd-10.1-x86-64.qcow2").path
      for (answer, status) in [("\n", 0), ("n\n", 0), ("ja\n", 0), ("\u{4}", 0), ("\u{3}", 130)] {
        let terminal = try TerminalSession(try Sandbox.program, ["prune"], in: sandbox)
        try await terminal.expect("netbsd-10.1-x86-64@v0.0.0")
        try await terminal.expect("[y/N] ")
        // Asking holds nothing up.
        #expect(try await sandbox.qvm("images").status == 0)
        terminal.type(answer)
        #expect(try await terminal.end() == status)
        #expect(FileManager.default.fileExists(atPath: file))
      }
      let terminal = try TerminalSession(try Sandbox.program, ["prune"], in: sandbox)
      try await terminal.expect("[y/N] ")
      terminal.type("y\n")
      #expect(try await terminal.end() == 0)
      #expect(!FileManager.default.fileExists(atPath: file))
    }
  }

  @Test func `what came into use while prune asked stays`() async throws {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(.demo, as: "haiku-r1beta5-x86-64")
      let terminal = try TerminalSession(try Sandbox.program, ["prune"], in: sandbox)
      try await terminal.expect("[y/N] ")
      #expect(try await sandbox.boot("box").status == 0)
      terminal.type("y\n")
      #expect(try await terminal.end() == 0)
      // The last of the output may come after the end.
      try await eventually("it says why the image stays") {
        terminal.text.contains("is now in use, and was not removed")
      }
      _ = try await sandbox.qvm("stop", "--force", "box")
      #expect(try await sandbox.qvm("start", "-d", "box").status == 0)
    }
  }

  @Test func `an image that is named goes alone, unless an instance needs it`() async throws {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(.demo, as: "haiku-r1beta5-x86-64", tag: "v0.1.0")
      try await sandbox.plant(.demo, as: "netbsd-10.1-x86-64", tag: "v0.7.0")
      try await sandbox.plant(.demo, as: "netbsd-10.1-x86-64", tag: "v0.6.0")
      try await sandbox.plant(.demo, as: "netbsd-10.0-x86-64", tag: "v0.7.0")
      _ = try await sandbox.boot("one")
      _ = try await sandbox.boot("two")
      let refused = try await sandbox.qvm("prune", "netbsd-10.1-x86-64", "haiku-r1beta5-x86-64")
      #expect(refused.status == 1)
      #expect(refused.advises(PruningError.needed("", by: ["one", "two"])), "\(refused.err)")
      let unknown = try await sandbox.qvm("prune", "netbsd-10.1-x86-64@v9")
      #expect(unknown.status == 1)
      #expect(unknown.reports(PruningError.noSuchImage("netbsd-10.1-x86-64@v9")))
      func left() async throws -> [String] {
        let images = try await sandbox.qvm("images", "--json").json["images"]?.array ?? []
        return images.map { "\($0["name"]?.string ?? "?")@\($0["release"]?.string ?? "?")" }
          .sorted()
      }
      #expect(try await left().count == 4)
      #expect(try await sandbox.qvm("prune", "netbsd-10.1-x86-64@v0.6.0").status == 0)
      #expect(
        try await left() == [
          "haiku-r1beta5-x86-64@v0.1.0", "netbsd-10.0-x86-64@v0.7.0", "netbsd-10.1-x86-64@v0.7.0",
        ])
      #expect(try await sandbox.qvm("prune", "netbsd-10.1-x86-64").status == 0)
      #expect(try await left() == ["haiku-r1beta5-x86-64@v0.1.0", "netbsd-10.0-x86-64@v0.7.0"])
    }
  }

  @Test func `an instance that can't tell what it needs keeps every image`() async throws {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(.demo, as: "haiku-r1beta5-x86-64")
      try await sandbox.plant(.demo, as: "netbsd-10.1-x86-64")
      _ = try await sandbox.boot("box")
      _ = try await sandbox.qvm("stop", "--force", "box")
      let folder = sandbox.cache.appending(path: "instances/box")
      // Its disk still tells.
      try Data("{".utf8).write(to: folder.appending(path: "instance.json"))
      #expect(
        kinds(try await sandbox.qvm("prune", "--dry-run", "--json")) == [
          "image netbsd-10.1-x86-64@v0.0.0"
        ])
      let disk = folder.appending(path: "disk.qcow2")
      let bytes = try Data(contentsOf: disk)
      try Data("torn".utf8).write(to: disk)
      let prune = try await sandbox.qvm("prune", "--yes")
      #expect(prune.err.contains("box"), "\(prune.err)")
      #expect(prune.status == 0)
      #expect(prune.out.isEmpty)
      #expect(prune.err.hasSuffix(Self.nothing), "\(prune.err)")
      #expect(try await sandbox.qvm("prune", "netbsd-10.1-x86-64").status == 1)
      try bytes.write(to: disk)
      // A link to the cache is the cache all the same.
      let link = sandbox.folder.appending(path: "link")
      try FileManager.default.createSymbolicLink(at: link, withDestinationURL: sandbox.cache)
      let other = try await sandbox.qvm(
        ["prune", "--dry-run", "--json"], environment: ["QVM_CACHE": "\(link.path)/."])
      #expect(kinds(other) == ["image netbsd-10.1-x86-64@v0.0.0"])
    }
  }

  @Test func `a download that goes on is left alone`() async throws {
    try await Sandbox.with { sandbox in
      let server = try await ReleasedImage.serve("v0.1.0", in: &sandbox)
      try server.setFault(.slow(10_000), for: ReleasedImage.asset)
      let pull = try sandbox.start(try Sandbox.program, ["pull"] + ReleasedImage.words)
      let partial = sandbox.cache.appending(
        path: "downloads/\(ReleasedImage.asset)@v0.1.0.partial")
      try await eventually("it downloads") {
        FileManager.default.fileExists(atPath: partial.path)
      }
      #expect(try await sandbox.qvm("prune", "--yes").err == Self.nothing)
      #expect(FileManager.default.fileExists(atPath: partial.path))
      pull.signal(SIGINT)
      #expect(try await pull.end().status == 130)
      #expect(FileManager.default.fileExists(atPath: partial.path))
      #expect(try await sandbox.qvm("prune", "--yes").status == 0)
      #expect(!FileManager.default.fileExists(atPath: partial.path))
    }
  }
}
