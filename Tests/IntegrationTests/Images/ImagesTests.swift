import Foundation
import QMPClient
import TestSupport
import Testing

/// What `qvm images` shows.
@Suite(.timeLimit(.minutes(15))) struct ImagesTests {
  private func states(in sandbox: Sandbox) async throws -> [String] {
    let images = try await sandbox.qvm("images", "--json").json["images"]?.array ?? []
    return images.map { image in
      let users = image["usedBy"]?.array?.compactMap(\.string).joined(separator: ",") ?? "?"
      return "\(image["name"]?.string ?? "?")@\(image["release"]?.string ?? "?") "
        + "\(image["state"]?.string ?? "?") [\(users)]"
    }
  }

  @Test func `images shows each one's release, state and users, without the network`() async throws
  {
    try await Sandbox.with { sandbox in
      let empty = try await sandbox.qvm("images", "--json")
      #expect(empty.json["schema"]?.int == 1)
      #expect(empty.json["images"] == .array([]))
      #expect(!FileManager.default.fileExists(atPath: sandbox.cache.path))

      let server = try await ReleasedImage.serve("v0.1.0", in: &sandbox)
      _ = try await sandbox.qvm(["pull"] + ReleasedImage.words)
      try server.setFault(.withoutDigest, for: "\(ReleasedImage.repository).json")
      try await ReleasedImage.publish("v0.2.0", on: server, in: sandbox)
      _ = try await sandbox.qvm(["pull", "--refresh"] + ReleasedImage.words)
      _ = try await sandbox.boot("box")
      _ = try await sandbox.qvm("run", "-d", "--name", "toy", "demo", "1")
      try await sandbox.plant(.demo, as: "netbsd-10.1-x86-64")
      try FileManager.default.removeItem(
        at: sandbox.cache.appending(path: "images/v0.0.0/netbsd-10.1-x86-64.json"))
      let name = ReleasedImage.name
      #expect(
        try await states(in: sandbox) == [
          "demo-1-x86-64@builtin ok [toy]", "\(name)@v0.1.0 ok []",
          "\(name)@v0.2.0 unverified [box]",
          "netbsd-10.1-x86-64@v0.0.0 incomplete record []",
        ])

      try server.forgetRequests()
      let table = try await sandbox.qvm("images")
      #expect(table.status == 0)
      let lines = table.out.split(separator: "\n")
      #expect(lines.first?.hasPrefix("NAME ") == true)
      #expect(lines.count == 5)
      #expect(lines.contains { $0.contains("v0.2.0") && $0.hasSuffix("unverified         box") })
      #expect(try await sandbox.qvm("images", "netbsd", "--json").json["images"]?.array?.count == 1)
      #expect(server.requests.isEmpty)

      try ReleasedImage.flipByte(of: ReleasedImage.file("v0.1.0", in: sandbox))
      try FileManager.default.removeItem(at: ReleasedImage.file("v0.2.0", in: sandbox))
      let after = try await states(in: sandbox)
      #expect(after.contains("\(name)@v0.1.0 changed []"))
      #expect(after.contains("\(name)@v0.2.0 missing [box]"))
    }
  }

  @Test func `a copied image is compared by its digest, once`() async throws {
    try await Sandbox.with { sandbox in
      let server = try await ReleasedImage.serve("v0.1.0", in: &sandbox)
      _ = try await sandbox.qvm(["pull"] + ReleasedImage.words)
      let file = ReleasedImage.file("v0.1.0", in: sandbox)
      let record = file.deletingPathExtension().appendingPathExtension("json")
      func recordedInode() throws -> Int? {
        try JSONValue(parsing: Array(Data(contentsOf: record)))["inode"]?.int
      }
      // As an archive restores it: the same bytes in another file.
      let copy = file.appendingPathExtension("copy")
      try FileManager.default.copyItem(at: file, to: copy)
      try FileManager.default.removeItem(at: file)
      try FileManager.default.moveItem(at: copy, to: file)
      let inode =
        try FileManager.default.attributesOfItem(atPath: file.path)[.systemFileNumber] as? Int
      #expect(try recordedInode() != inode)
      let first = try await sandbox.qvm("images", "--json")
      #expect(first.json["images"]?.array?.first?["state"]?.string == "ok")
      #expect(try recordedInode() == inode)
      #expect(!first.err.isEmpty)
      // Nothing is read the second time, and nothing said.
      let second = try await sandbox.qvm("images", "--json")
      #expect(second.json["images"]?.array?.first?["state"]?.string == "ok")
      #expect(second.err.isEmpty)
      withExtendedLifetime(server) {}
    }
  }

  @Test func `the QEMUs that were downloaded are shown too`() async throws {
    try await Sandbox.with { sandbox in
      let server = try await PublishedReleases.serve(in: sandbox)
      sandbox.environment["QVM_QEMU"] = "managed"
      sandbox.environment["QVM_BASE_URL"] = server.baseURL
      #expect(try await sandbox.qvm("pull", "haiku", "r1beta5").status == 0)
      let builds = try await sandbox.qvm("images", "--json").json["qemu"]?.array ?? []
      #expect(builds.map { $0["target"]?.string } == ["img", "x86_64"])
      #expect(builds.allSatisfy { $0["release"]?.string == "v2.0.0" })
      #expect(builds.allSatisfy { $0["allocatedBytes"]?.int ?? 0 > 1 << 20 })
      let table = try await sandbox.qvm("images").out
      #expect(table.contains("\nQEMU "))
      #expect(table.contains("\nqemu-img  v2.0.0"))

      #expect(try await sandbox.qvm("verify").status == 0)
      let firmware = sandbox.cache.appending(path: "qemu/x86_64/share/qemu/bios-256k.bin")
      // One bit, which no look at its size or its beginning tells.
      let bytes = try Data(contentsOf: firmware)
      try ReleasedImage.flipByte(of: firmware)
      let flipped = try await sandbox.qvm("verify", "--json")
      #expect(flipped.status == 1)
      let reason = flipped.json["qemu"]?.array?.compactMap { $0["reason"]?.string }
      #expect(reason == ["has changed since it was fetched: share/qemu/bios-256k.bin"])
      try bytes.write(to: firmware)
      #expect(try await sandbox.qvm("verify").status == 0)
      try Data("<html>".utf8).write(to: firmware)
      let verify = try await sandbox.qvm("verify")
      #expect(verify.status == 1)
      #expect(verify.err.contains(firmware.path), "\(verify.err)")
    }
  }

  @Test func `what the releases have is listed with the newest release of each`() async throws {
    try await Sandbox.with { sandbox in
      let server = try await ReleasedImage.serve("v0.1.0", in: &sandbox)
      try await ReleasedImage.publish("v0.2.0", on: server, in: sandbox)
      try server.publish(
        Data("x".utf8), as: "haiku-r1beta4-x86-64.qcow2", tag: "v0.1.0",
        in: ReleasedImage.repository)
      let list = try await sandbox.qvm("images", "--available", "haiku")
      #expect(list.status == 0, "\(list.err)")
      let rows = list.out.split(separator: "\n").dropFirst().map {
        $0.split(separator: " ").prefix(4).joined(separator: " ")
      }
      #expect(rows == ["haiku r1beta5 x86-64 v0.2.0", "haiku r1beta4 x86-64 v0.1.0"])
      let json = try await sandbox.qvm("images", "--available", "--json", "haiku").json
      #expect(json["available"]?.array?.count == 2)
      #expect(json["available"]?.array?.last?["bytes"]?.int == 1)
      #expect(try await sandbox.qvm("images", "--available", "plan9").status == 64)
      try server.setFault(.status(403), for: "\(ReleasedImage.repository).json")
      #expect(try await sandbox.qvm("images", "--available", "haiku").status == 1)
    }
  }

  @Test func `without a system what every one of them has is listed`() async throws {
    try await Sandbox.with { sandbox in
      let server = try ReleaseServer.start(root: sandbox.folder.appending(path: "releases"))
      sandbox.environment["QVM_BASE_URL"] = server.baseURL
      let names = ["freebsd", "openbsd", "netbsd", "haiku", "omnios"]
      for name in names {
        try server.publish(
          Data("x".utf8), as: "\(name)-1-x86-64.qcow2", tag: "v1", in: "\(name)-builder")
      }
      func systems() async throws -> (Int32, [String]) {
        let list = try await sandbox.qvm("images", "--available")
        let rows = list.out.split(separator: "\n").dropFirst()
        return (list.status, rows.map { String($0.prefix { $0 != " " }) })
      }
      var (status, found) = try await systems()
      #expect(status == 0)
      #expect(Set(found) == Set(names))
      try server.setFault(.status(404), for: "netbsd-builder.json")
      (status, found) = try await systems()
      #expect(Set(found) == Set(names).subtracting(["netbsd"]))
    }
  }

  @Test func `an empty answer says why it is empty, and what to do`() async throws {
    try await Sandbox.with { sandbox in
      let server = try ReleaseServer.start(root: sandbox.folder.appending(path: "releases"))
      sandbox.environment["QVM_BASE_URL"] = server.baseURL
      try server.publish(Data("x".utf8), as: "notes.txt", tag: "v1", in: "openbsd-builder")
      for (words, says) in [
        ([], "'qvm pull OS VERSION'"),
        (["haiku"], "'qvm pull haiku VERSION'"),
        (["--available", "demo"], "'qvm run demo 1'"),
        (
          ["--available", "openbsd"],
          "\(server.baseURL)/openbsd-builder/releases"
        ),
      ] {
        let answer = try await sandbox.qvm(["images"] + words)
        #expect(answer.status == 0)
        #expect(answer.out.split(separator: "\n").count == 1)
        #expect(answer.err.contains(says), "\(answer.err)")
        #expect(try await sandbox.qvm(["images", "--json"] + words).err.isEmpty)
      }
    }
  }

  @Test func `without zstd the releases are told that pull would take`() async throws {
    try await Sandbox.with { sandbox in
      let server = try ReleaseServer.start(root: sandbox.folder.appending(path: "releases"))
      sandbox.environment["QVM_BASE_URL"] = server.baseURL
      for (name, tag) in [
        ("netbsd-10.1-x86-64.qcow2", "v0.7.0"), ("netbsd-10.1-x86-64.tar.zst", "v1.0.0"),
        ("netbsd-11.0-x86-64.tar.zst", "v1.0.0"),
      ] {
        try server.publish(Data("x".utf8), as: name, tag: tag, in: "netbsd-builder")
      }
      func rows() async throws -> [String] {
        let list = try await sandbox.qvm("images", "--available", "netbsd")
        return list.out.split(separator: "\n").dropFirst().map {
          $0.split(separator: " ").dropFirst().dropLast(2).joined(separator: " ")
        }
      }
      #expect(try await rows() == ["11.0 x86-64 v1.0.0", "10.1 x86-64 v1.0.0"])
      let tools = sandbox.folder.appending(path: "tools")
      try sandbox.link(["curl", "tar"], into: tools)
      sandbox.environment["PATH"] = tools.path
      #expect(try await rows() == ["11.0 x86-64 v1.0.0 (needs zstd)", "10.1 x86-64 v0.7.0"])
    }
  }

  @Test func `a file has one size, whatever shows it, and its name is taken with its suffix`()
    async throws
  {
    try await Sandbox.with { sandbox in
      let server = try await ReleasedImage.serve("v0.1.0", in: &sandbox)
      let pull = try await sandbox.qvm(["pull"] + ReleasedImage.words)
      let shown = try #require(pull.err.split(separator: "(").last?.split(separator: ")").first)
      #expect(shown.hasSuffix(" kB"), "\(pull.err)")
      #expect(try await sandbox.qvm("images").out.contains("  \(shown)  "))
      #expect(try await sandbox.qvm("images", "--available", "haiku").out.contains("  \(shown)\n"))

      let dry = try await sandbox.qvm("prune", "--dry-run", ReleasedImage.asset)
      #expect(dry.status == 0, "\(dry.err)")
      #expect(dry.out.contains("\(ReleasedImage.name)@v0.1.0"))
      withExtendedLifetime(server) {}
    }
  }
}
