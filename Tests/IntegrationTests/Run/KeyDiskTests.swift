import Foundation
import QMPClient
import QVMControl
import TestSupport
import Testing

/// The disk with keys on command lines and in folders, with a guest that needs no login.
@Suite(.timeLimit(.minutes(15))) struct KeyDiskTests {
  private static let openbsd = ["openbsd", "7.6", "--platform", "x86-64"]
  private static let freebsd = ["freebsd", "14.2", "--platform", "x86-64"]

  private func drives(_ command: [String]) -> [String] {
    zip(command, command.dropFirst()).filter { $0.0 == "-drive" }.map(\.1)
  }

  private func hasKeys(_ instance: String, in sandbox: Sandbox) -> Bool {
    let command = sandbox.file("boot.json", of: instance)["command"]?.array?.compactMap(\.string)
    return drives(command ?? []).contains { $0.contains("id=qvm-keys") }
  }

  private func makeKey(_ name: String, in sandbox: Sandbox) async throws -> URL {
    let file = sandbox.folder.appending(path: name)
    let make = try await sandbox.run(
      URL(filePath: "/usr/bin/env"),
      ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", file.path])
    #expect(make.status == 0, "\(make.err)")
    return file
  }

  @Test func `two runs at once make one pair, and a guest that needs none gets none`() async throws
  {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(.demo, as: "freebsd-14.2-x86-64", tag: "v0.13.1")
      try await sandbox.plant(.demo, as: "freebsd-14.3-x86-64", tag: "v0.14.0")
      let key = try await makeKey("own", in: sandbox)
      let new = try await sandbox.qvm(
        "run", "-d", "--name", "new", "--ssh-key", key.path, "freebsd", "14.3", "--platform",
        "x86-64")
      #expect(new.status == 0, "\(new.err)")
      #expect(new.err.contains("--ssh-key has no effect"), "\(new.err)")
      #expect(!hasKeys("new", in: sandbox))
      #expect(sandbox.file("instance.json", of: "new")["options"]?["sshKeys"] == nil)
      let keys = sandbox.cache.appending(path: "keys")
      #expect(!FileManager.default.fileExists(atPath: keys.path), "no guest needs them")

      let commands = try ["a", "b"].map {
        try sandbox.start(
          try Sandbox.program,
          ["run", "-d", "--name", $0, "--ssh-key", "\(key.path).pub"] + Self.freebsd)
      }
      for command in commands {
        let end = try await command.end()
        #expect(end.status == 0, "\(end.err)")
      }
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: keys.path).sorted()
          == ["id_ed25519", "id_ed25519.pub"])
      let images = try ["a", "b"].map {
        #expect(hasKeys($0, in: sandbox))
        return try Data(contentsOf: sandbox.folder(of: $0).appending(path: "keys.img"))
      }
      #expect(images[0] == images[1])
      let text = try String(contentsOf: keys.appending(path: "id_ed25519.pub"), encoding: .utf8)
      let own = try String(contentsOf: key.appendingPathExtension("pub"), encoding: .utf8)
      #expect(images[0].range(of: Data((text + own).utf8)) != nil)
      let mode = try FileManager.default.attributesOfItem(
        atPath: sandbox.folder(of: "a").appending(path: "keys.img").path)[.posixPermissions]
      #expect(mode as? Int == 0o600)
      #expect(try await sandbox.qvm("rm", "-f", "a", "b", "new").status == 0)
      #expect(!sandbox.exists("a"))
    }
  }

  @Test func `each boot writes the disk anew, with the keys of that boot`() async throws {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(.demo, as: "openbsd-7.6-x86-64", tag: "v0.14.0")
      let (first, second) = (
        try await makeKey("first", in: sandbox), try await makeKey("second", in: sandbox)
      )
      func keys() throws -> [String] {
        let file = sandbox.folder(of: "box").appending(path: "keys.img")
        let text = String(decoding: try Data(contentsOf: file), as: UTF8.self)
        return text.split(separator: "\n").filter { $0.contains("ssh-ed25519 ") }.map {
          String($0.split(separator: " ").last ?? "")
        }
      }
      func stop() async throws {
        #expect(try await sandbox.qvm("stop", "--force", "box").status == 0)
      }
      let run = try await sandbox.qvm(
        ["run", "-d", "--name", "box", "--ssh-key", first.path] + Self.openbsd)
      #expect(run.status == 0, "\(run.err)")
      #expect(try keys() == ["qvm", "first"])
      try await stop()
      try Data("rubbish".utf8).write(to: sandbox.folder(of: "box").appending(path: "keys.img"))
      #expect(try await sandbox.qvm("start", "-d", "box").status == 0)
      #expect(try keys() == ["qvm", "first"])
      try await stop()
      let other = try await sandbox.qvm(
        ["run", "-d", "--name", "box", "--ssh-key", second.path] + Self.openbsd)
      #expect(other.err.contains("--ssh-key applies to this boot only"), "\(other.err)")
      #expect(try keys() == ["qvm", "second"])
      try await stop()

      // An instance of an older qvm has keys of its own in the guest, which the disk would replace.
      var record = sandbox.file("instance.json", of: "box").object ?? JSONObject()
      var options = record["options"]?.object ?? JSONObject()
      options["sshKeys"] = nil
      record["options"] = .object(options)
      try sandbox.change("options", to: .object(options), in: "instance.json", of: "box")
      #expect(try await sandbox.qvm("start", "-d", "box").status == 0)
      #expect(!hasKeys("box", in: sandbox))
      try await stop()
      let asked = try await sandbox.qvm(
        ["run", "-d", "--name", "box", "--ssh-key", second.path] + Self.openbsd)
      #expect(asked.status == 0, "\(asked.err)")
      #expect(hasKeys("box", in: sandbox))
      try await stop()
    }
  }

  @Test func `a dry run shows the disk where a run would have it`() async throws {
    try await Sandbox.with { sandbox in
      func dry(_ words: [String]) async throws -> Sandbox.Output {
        try await sandbox.qvm(["run", "--dry-run", "--name", "dry"] + words)
      }
      let needed = try await dry(Self.openbsd + ["--qemu-arg", "-snapshot"])
      let lines = needed.out.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
      let place = lines.firstIndex { $0.hasPrefix("-device scsi-hd,drive=qvm-keys") }
      let system = lines.firstIndex { $0.hasPrefix("-device scsi-hd,drive=drive0") }
      #expect(place == system.map { $0 + 2 })
      #expect(needed.err.contains("qvm-keys"), "\(needed.err)")
      #expect(!FileManager.default.fileExists(atPath: sandbox.cache.path), "something was written")
      // What will be downloaded is not known.
      let open = try await dry(Self.freebsd)
      #expect(!open.out.contains("qvm-keys"))
      #expect(open.err.contains("not downloaded yet"), "\(open.err)")
      try await sandbox.plant(.demo, as: "freebsd-14.2-x86-64", tag: "v0.13.1")
      #expect(try await dry(Self.freebsd).out.contains("-device virtio-blk-pci,drive=qvm-keys"))
      try await sandbox.plant(.demo, as: "freebsd-14.2-x86-64", tag: "v0.15.0")
      try FileManager.default.removeItem(at: sandbox.cache.appending(path: "images/v0.13.1"))
      let new = try await dry(Self.freebsd)
      #expect(!new.out.contains("qvm-keys"))
      #expect(!new.err.contains("not downloaded yet"))
    }
  }

  @Test func `without ssh-keygen only a command that logs in fails, before anything is made`()
    async throws
  {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(.demo, as: "openbsd-7.6-x86-64", tag: "v0.14.0")
      let bin = sandbox.folder.appending(path: "without")
      try FileManager.default.createDirectory(at: bin, withIntermediateDirectories: true)
      for folder in ["/usr/bin", "/bin", "/usr/sbin", "/sbin"] {
        for name in try FileManager.default.contentsOfDirectory(atPath: folder)
        where name != "ssh-keygen" {
          try? FileManager.default.createSymbolicLink(
            atPath: bin.appending(path: name).path, withDestinationPath: "\(folder)/\(name)")
        }
      }
      sandbox.environment["PATH"] = bin.path
      let command = try await sandbox.qvm(
        ["run", "--name", "box"] + Self.openbsd + ["--", "true"])
      #expect(command.status == 1)
      #expect(command.reports(SSHKeyError.noProgram), "\(command.err)")
      #expect(!sandbox.exists("box"))
      let run = try await sandbox.qvm(["run", "-d", "--name", "box"] + Self.openbsd)
      #expect(run.status == 0, "\(run.err)")
      #expect(run.err.contains(SSHKeyError.noProgram.message), "\(run.err)")
      #expect(!hasKeys("box", in: sandbox))
      #expect(try await sandbox.qvm("stop", "--force", "box").status == 0)
      // Where the disk is of no use, nothing is said.
      let demo = try await sandbox.qvm("run", "-d", "--name", "demo", "demo", "1")
      #expect(!demo.err.contains("ssh-keygen"), "\(demo.err)")
      #expect(try await sandbox.qvm("stop", "--force", "demo").status == 0)
    }
  }

  @Test func `an ssh-keygen that is killed leaves no half pair, and what it leaves is pruned`()
    async throws
  {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(.demo, as: "openbsd-7.6-x86-64", tag: "v0.14.0")
      let bin = sandbox.folder.appending(path: "killed")
      let path = sandbox.environment["PATH"] ?? ""
      // The whole job is killed while the file is half written.
      try await sandbox.writeProgram(
        """
        for word; do file=$word; done
        echo half >"$file"
        [ ! -e '\(bin.path)/all' ] || kill -KILL $PPID
        kill -KILL $$
        """, to: bin.appending(path: "ssh-keygen"))
      sandbox.environment["PATH"] = "\(bin.path):\(path)"
      let words = ["run", "-d", "--name", "box"] + Self.openbsd
      let command = try await sandbox.qvm(
        ["run", "--name", "box"] + Self.openbsd + ["--", "true"])
      #expect(command.status == 1)
      #expect(command.advises(SSHKeyError.cannotMake(why: "")), "\(command.err)")
      #expect(!sandbox.exists("box"))
      try Data().write(to: bin.appending(path: "all"))
      let killed = try await sandbox.qvm(words)
      #expect(killed.status != 0)
      let keys = sandbox.cache.appending(path: "keys").path
      #expect(!FileManager.default.fileExists(atPath: keys))
      func halves() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: sandbox.cache.path)
          .filter { $0.hasPrefix(".keys-") }
      }
      let half = try #require(try halves().first)
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSinceNow: -600)],
        ofItemAtPath: sandbox.cache.appending(path: half).path)
      sandbox.environment["PATH"] = path
      #expect(try await sandbox.qvm("prune", "--yes").status == 0)
      #expect(try halves() == [])
      // An image that no instance uses is pruned, too.
      try await sandbox.plant(.demo, as: "openbsd-7.6-x86-64", tag: "v0.14.0")
      let run = try await sandbox.qvm(words)
      #expect(run.status == 0, "\(run.err)")
      #expect(hasKeys("box", in: sandbox))
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: keys).sorted()
          == ["id_ed25519", "id_ed25519.pub"])
      #expect(try await sandbox.qvm("stop", "--force", "box").status == 0)
    }
  }

  @Test func `a bad key is refused before anything is made`() async throws {
    try await Sandbox.with { sandbox in
      let bad = sandbox.folder.appending(path: "bad")
      try Data("hello\n".utf8).write(to: bad)
      let run = try await sandbox.qvm(
        ["run", "--name", "box", "--ssh-key", bad.path] + Self.openbsd)
      #expect(run.status == 1)
      #expect(run.reports(SSHKeyError.noKey(path: bad.path)), "\(run.err)")
      let demo = try await sandbox.qvm(
        "run", "--name", "box", "--ssh-key", try await makeKey("own", in: sandbox).path, "demo", "1"
      )
      #expect(demo.status == 1)
      #expect(demo.reports(SSHKeyError.noServer(system: "Demo")), "\(demo.err)")
      #expect(!FileManager.default.fileExists(atPath: sandbox.cache.path))
    }
  }
}
