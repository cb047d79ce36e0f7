import Foundation
import QVMControl
import TestSupport
import Testing

/// What surrounds a transfer: the user's own configuration of curl, proxies, certificates, and an
/// end at any moment.
@Suite struct TransferSafetyTests {
  /// Of a disk that has no room, whichever it is.
  private static let full = DownloadError.diskFull(folder: "", needed: nil, free: nil)

  private static let pull = ["pull", "haiku", "r1beta5"]
  private static let name = "haiku-r1beta5-x86-64"

  private func serving(_ sandbox: inout Sandbox, secure: Bool = false) async throws -> ReleaseServer
  {
    let server = try ReleaseServer.start(
      root: sandbox.folder.appending(path: "releases"), secure: secure)
    let image = sandbox.folder.appending(path: "image.qcow2")
    _ = try await sandbox.run(
      try Tool.qemuImg.url,
      ["convert", "-f", "raw", "-O", "qcow2", try Guest.demo.image.path, image.path])
    try server.publish(
      try Data(contentsOf: image), as: "\(Self.name).qcow2", tag: "v0.1.0", in: "haiku-builder")
    try server.setLatest("v0.1.0", in: "haiku-builder")
    sandbox.environment["QVM_BASE_URL"] = server.baseURL
    return server
  }

  @Test func `curl's own configuration file has no effect`() async throws {
    try await Sandbox.with { sandbox in
      let server = try await serving(&sandbox)
      let stray = sandbox.folder.appending(path: "stray").path
      let settings =
        "output = \"\(stray)\"\ninclude\nuser-agent = \"configured\"\nmax-time = 0.001\n"
      try Data(settings.utf8).write(to: sandbox.folder.appending(path: ".curlrc"))
      let result = try await sandbox.qvm(Self.pull)
      #expect(result.status == 0, "\(result.err)")
      #expect(!FileManager.default.fileExists(atPath: stray))
      withExtendedLifetime(server) {}
    }
  }

  @Test func `a proxy that the environment names is used`() async throws {
    try await Sandbox.with { sandbox in
      let server = try await serving(&sandbox)
      sandbox.environment["http_proxy"] = server.baseURL
      sandbox.environment["QVM_BASE_URL"] = "http://releases.invalid/cross-platform-actions"
      let result = try await sandbox.qvm(Self.pull)
      #expect(result.status == 0, "\(result.err)")
      #expect(!server.requests.isEmpty)
      #expect(server.requests.allSatisfy { $0.host == "releases.invalid" })
      // Whom the environment excepts is asked directly, and isn't there.
      sandbox.environment["no_proxy"] = "releases.invalid"
      let direct = try await sandbox.qvm(Self.pull + ["--refresh"])
      #expect(direct.status == 1)
      #expect(direct.reports(DownloadError.unreachable(url: "http://releases.invalid/", why: "")))
    }
  }

  @Test func `a certificate counts if the environment names its authority`() async throws {
    try await Sandbox.with { sandbox in
      let server = try await serving(&sandbox, secure: true)
      let unknown = try await sandbox.qvm(Self.pull)
      #expect(unknown.status == 1)
      #expect(unknown.advises(DownloadError.insecure(url: "", why: "")))
      #expect(unknown.err.contains("127.0.0.1"))
      #expect(server.requests.isEmpty)
      sandbox.environment["CURL_CA_BUNDLE"] = try #require(server.certificate).path
      let known = try await sandbox.qvm(Self.pull)
      #expect(known.status == 0, "\(known.err)")
    }
  }

  @Test func `a disk that gets full on the way is told, and what came gives its room back`()
    async throws
  {
    try await Sandbox.with { sandbox in
      let server = try await serving(&sandbox)
      let raw = sandbox.folder.appending(path: "noise.raw")
      let image = sandbox.folder.appending(path: "noise.qcow2")
      _ = try await sandbox.run(
        URL(filePath: "/bin/sh"), ["-c", "head -c 12000000 /dev/urandom >'\(raw.path)'"])
      _ = try await sandbox.run(
        try Tool.qemuImg.url, ["convert", "-f", "raw", "-O", "qcow2", raw.path, image.path])
      let content = try Data(contentsOf: image)
      let asset = "\(Self.name).qcow2"
      try server.publish(content, as: asset, tag: "v0.1.0", in: "haiku-builder")
      try server.setFault(.slow(4_000_000), for: asset)
      try await SmallDisk.with(sandbox, at: sandbox.cache, size: "40m") { disk in
        let pull = try disk.start(try Sandbox.program.path, Self.pull)
        let downloads = sandbox.cache.appending(path: "downloads").path
        try await eventually("something has come") {
          let parts = try? await disk.shell("du -sk '\(downloads)'")
          return Int(parts?.split(separator: "\t").first ?? "").map { $0 > 1000 } ?? false
        }
        let filling = sandbox.cache.appending(path: "filling").path
        _ = try? await disk.shell("head -c 60000000 /dev/zero >'\(filling)'")
        let result = try await pull.end()
        #expect(result.status == 1)
        #expect(result.err.contains(sandbox.cache.path), "\(result.err)")
        #expect(result.advises(Self.full), "\(result.err)")
        #expect(try await disk.shell("find '\(downloads)' -name '*.partial'").isEmpty)
        try await disk.shell("test ! -e '\(sandbox.cache.path)/images/v0.1.0/\(asset)'")
        // Without room it isn't even begun.
        try server.setFault(nil, for: asset)
        let refused = try await disk.qvm(Self.pull)
        #expect(refused.status == 1)
        #expect(refused.advises(Self.full), "\(refused.err)")
        try await disk.shell("rm '\(filling)'")
        let again = try await disk.qvm(Self.pull)
        #expect(again.status == 0, "\(again.err)")
        try await disk.shell("cmp '\(sandbox.cache.path)/images/v0.1.0/\(asset)' '\(image.path)'")
      }
    }
  }

  /// The image's place, and what is in the cache beside it.
  private func placed(_ sandbox: Sandbox) -> URL {
    sandbox.cache.appending(path: "images/v0.1.0/\(Self.name).qcow2")
  }

  @Test func `killed between any two steps, a pull leaves nothing that is half an image`()
    async throws
  {
    try await Sandbox.with { sandbox in
      let server = try await serving(&sandbox)
      let content = try Data(
        contentsOf: server.file("\(Self.name).qcow2", tag: "v0.1.0", in: "haiku-builder"))
      let strace = URL(filePath: "/usr/bin/strace")
      var kills = 0
      for call in ["rename", "fsync", "chmod"] {
        for number in 1...12 {
          try? FileManager.default.removeItem(at: placed(sandbox))
          let log = sandbox.folder.appending(path: "strace").path
          // Only qvm's own calls: the programs that it runs are not followed.
          let result = try await sandbox.run(
            strace,
            [
              "-qq", "-f", "-o", log, "-e", "trace=\(call)", "-e", "signal=none", "-e",
              "inject=\(call):signal=KILL:when=\(number)", try Sandbox.program.path,
            ] + Self.pull)
          let image = placed(sandbox)
          if FileManager.default.fileExists(atPath: image.path) {
            #expect(try Data(contentsOf: image) == content)
            let mode = try FileManager.default.attributesOfItem(atPath: image.path)[
              .posixPermissions]
            #expect(mode as? Int == 0o444)
          }
          if result.status == 0 { break }
          kills += 1
          let again = try await sandbox.qvm(Self.pull)
          #expect(again.status == 0, "\(call) \(number): \(again.err)")
          #expect(try Data(contentsOf: image) == content)
          let left = try FileManager.default.contentsOfDirectory(
            atPath: sandbox.cache.appending(path: "downloads").path)
          #expect(left.isEmpty, "\(call) \(number): \(left)")
          let beside = try FileManager.default.contentsOfDirectory(
            atPath: image.deletingLastPathComponent().path)
          #expect(beside.count == 2, "\(call) \(number): \(beside)")
          // Linked at the beginning: the first kill is the one that comes in between.
          let firmware = try FileManager.default.contentsOfDirectory(
            atPath: sandbox.cache.appending(path: "qemu/system-x86_64/share/qemu").path)
          #expect(!firmware.contains { $0.hasPrefix(".") }, "\(call) \(number): \(firmware)")
        }
      }
      #expect(kills > 5)
    }
  }
}
