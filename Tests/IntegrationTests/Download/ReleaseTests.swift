import Foundation
import QMPClient
import QVMControl
import TestSupport
import Testing

/// From an empty cache to a guest that was shut down, by way of a release server.
@Suite(.timeLimit(.minutes(15))) struct ReleaseTests {
  private static let versions = [
    "freebsd": "14.2", "openbsd": "7.6", "netbsd": "10.1", "haiku": "r1beta5", "omnios": "r151052",
  ]

  /// The words that name a driver's guest.
  private func guest(_ driver: String) -> [String] {
    let parts = driver.split(separator: "-", maxSplits: 1).map(String.init)
    return ["--platform", parts[1], parts[0], Self.versions[parts[0]] ?? ""]
  }

  @Test(arguments: Driver.specified.map(\.description))
  func `each driver's command boots a downloaded guest, which obeys its power button`(
    driver: String
  ) async throws {
    try await Sandbox.with { sandbox in
      let server = try await PublishedReleases.serve(in: sandbox)
      sandbox.environment["QVM_QEMU"] = "managed"
      sandbox.environment["QVM_BASE_URL"] = server.baseURL
      let run = try await sandbox.qvm(
        ["run", "-d", "--name", "guest", "--memory", "256M"] + guest(driver))
      #expect(run.status == 0, "\(run.err)")
      #expect(
        try await sandbox.qvm("wait", "guest", "--for", "console:ready", "--timeout", "120").status
          == 0)
      let status = try await sandbox.status("guest")
      #expect(status["runState"]?.string == "running")
      #expect(status["platform"]?.string == String(driver.drop { $0 != "-" }.dropFirst()))

      let command = try String(
        contentsOf: sandbox.cache.appending(path: "instances/guest/boot.json"), encoding: .utf8)
      let target = driver.hasSuffix("arm64") ? "aarch64" : "x86_64"
      #expect(
        command.contains("\(sandbox.cache.path)/qemu/\(target)/bin/qemu-system-\(target)"),
        "not the downloaded QEMU")

      let stop = try await sandbox.qvm("stop", "guest")
      #expect(stop.status == 0, "\(stop.err)")
      let outcome = try await sandbox.status("guest")["lastOutcome"]
      #expect(outcome?["result"]?.string == "clean")
      #expect(outcome?["reason"]?.string == "guest-shutdown")
      // Its kernel is known to ignore the button, so it is told by ssh as well, without waiting.
      #expect(outcome?["rung"]?.string == (driver == "freebsd-arm64" ? "ssh" : "powerdown"))
      #expect(outcome?["exitStatus"]?.int == 0)
    }
  }

  @Test func `OpenBSD on arm64 boots with Linaro's firmware where a release has it`() async throws {
    try await Sandbox.with { sandbox in
      let server = try await PublishedReleases.serve(in: sandbox, linaro: true)
      sandbox.environment["QVM_QEMU"] = "managed"
      sandbox.environment["QVM_BASE_URL"] = server.baseURL
      let run = try await sandbox.qvm(
        ["run", "-d", "--name", "guest", "--memory", "256M"] + guest("openbsd-arm64"))
      #expect(run.status == 0, "\(run.err)")
      let boot = try String(
        contentsOf: sandbox.cache.appending(path: "instances/guest/boot.json"), encoding: .utf8)
      #expect(boot.contains("share/qemu/linaro_uefi.fd"))
      #expect(!boot.contains("acpi=off"))
      #expect(
        try await sandbox.qvm("wait", "guest", "--for", "console:ready", "--timeout", "120").status
          == 0)
      #expect(try await sandbox.qvm("stop", "guest").status == 0)
    }
  }

  @Test func `a second run needs no network, and the base image is never written`() async throws {
    try await Sandbox.with { sandbox in
      let server = try await PublishedReleases.serve(in: sandbox)
      sandbox.environment["QVM_QEMU"] = "managed"
      sandbox.environment["QVM_BASE_URL"] = server.baseURL
      let pull = try await sandbox.qvm(["pull"] + guest("haiku-x86-64"))
      #expect(pull.status == 0, "\(pull.err)")
      let image = URL(filePath: String(pull.out.dropLast()))
      let mode = try FileManager.default.attributesOfItem(atPath: image.path)[.posixPermissions]
      #expect(mode as? Int == 0o444)
      let before = try Data(contentsOf: image)

      try server.forgetRequests()
      for name in ["first", "second"] {
        let run = try await sandbox.qvm(
          ["run", "-d", "--name", name, "--memory", "64M"] + guest("haiku-x86-64"))
        #expect(run.status == 0, "\(run.err)")
        _ = try await sandbox.qvm("wait", name, "--for", "console:ready", "--timeout", "60")
      }
      #expect(server.requests.isEmpty)
      #expect(try await sandbox.qvm("stop", "first", "second").status == 0)
      #expect(try Data(contentsOf: image) == before)
    }
  }

  @Test func `an asset that the latest release lacks comes from an older one`() async throws {
    try await Sandbox.with { sandbox in
      let server = try await PublishedReleases.serve(in: sandbox)
      sandbox.environment["QVM_BASE_URL"] = server.baseURL
      let pull = try await sandbox.qvm(["pull"] + guest("netbsd-arm64"))
      #expect(pull.status == 0, "\(pull.err)")
      #expect(pull.out.contains("/images/v0.7.0/"))
    }
  }

  @Test func `a bundle needs zstd, and where that is missing an older image serves`() async throws {
    try await Sandbox.with { sandbox in
      let server = try await PublishedReleases.serve(in: sandbox)
      sandbox.environment["QVM_BASE_URL"] = server.baseURL
      let path = sandbox.environment["PATH"]
      let tools = sandbox.folder.appending(path: "tools")
      try sandbox.link(
        ["curl", "tar", "openssl", "qemu-img", "qemu-system-x86_64"], into: tools)
      sandbox.environment["PATH"] = tools.path
      let without = try await sandbox.qvm(["pull"] + guest("netbsd-x86-64"))
      #expect(without.status == 0, "\(without.err)")
      #expect(without.out.contains("/images/v0.7.0/"))
      #expect(
        without.err.contains("zstd") && without.err.contains("v0.7.0"))

      sandbox.environment["PATH"] = path
      let with = try await sandbox.qvm(["pull", "--refresh"] + guest("netbsd-x86-64"))
      #expect(with.status == 0, "\(with.err)")
      #expect(with.out.contains("/images/v1.0.0/netbsd-10.1-x86-64.qcow2"))
    }
  }

  @Test func `a VM goes on with its QEMU when a newer one is pulled`() async throws {
    try await Sandbox.with { sandbox in
      let server = try await PublishedReleases.serve(in: sandbox)
      sandbox.environment["QVM_QEMU"] = "managed"
      sandbox.environment["QVM_BASE_URL"] = server.baseURL
      let run = try await sandbox.qvm(
        ["run", "-d", "--name", "guest", "--memory", "64M"] + guest("haiku-x86-64"))
      #expect(run.status == 0, "\(run.err)")
      let releases = server.root.appending(path: "resources")
      try FileManager.default.copyItem(
        at: releases.appending(path: "v2.0.0"), to: releases.appending(path: "v2.1.0"))
      try server.setLatest("v2.1.0", in: "resources")

      let pull = try await sandbox.qvm(["pull", "--refresh"] + guest("haiku-x86-64"))
      #expect(pull.status == 0, "\(pull.err)")
      for folder in ["x86_64", "img"] {
        let release = sandbox.cache.appending(path: "qemu/\(folder)/RELEASE")
        #expect(try String(contentsOf: release, encoding: .utf8) == "v2.1.0\n")
      }
      #expect(try await sandbox.status("guest")["phase"]?.string == "running")
      #expect(try await sandbox.qvm("status", "guest").out.contains("QEMU"))
      _ = try await sandbox.qvm("wait", "guest", "--for", "console:ready", "--timeout", "60")
      #expect(try await sandbox.qvm("stop", "guest").status == 0)
      #expect(try await sandbox.status("guest")["lastOutcome"]?["result"]?.string == "clean")
      #expect(try await sandbox.qvm("start", "-d", "guest").status == 0)
      #expect(try await sandbox.qvm("stop", "--force", "guest").status == 0)
    }
  }

  @Test func `a version that no release has is answered by those there are`() async throws {
    try await Sandbox.with { sandbox in
      let server = try await PublishedReleases.serve(in: sandbox)
      sandbox.environment["QVM_BASE_URL"] = server.baseURL
      let pull = try await sandbox.qvm("pull", "freebsd", "99.9")
      #expect(pull.status == 1)
      #expect(pull.err.contains("99.9"))
      #expect(pull.err.contains("14.2"))
    }
  }

  @Test func `a release that isn't there is told from one without the image`() async throws {
    try await Sandbox.with { sandbox in
      let server = try await ReleasedImage.serve("v0.1.0", in: &sandbox)
      let page = "\(server.baseURL)/\(ReleasedImage.repository)/releases"
      let cases: [(words: [String], error: ReleaseError)] = [
        (
          ["v9"] + ReleasedImage.words,
          .noSuchRelease(tag: "v9", page: page, available: ["v0.1.0"])
        ),
        (["v0.1.0", "haiku", "r9"], .notInRelease(name: "", tag: "v0.1.0", page: page)),
        (["v1", "demo", "1"], .builtIn(name: "demo-1-x86-64")),
      ]
      for (words, error) in cases {
        let pull = try await sandbox.qvm(["pull", "--platform", "x86-64", "--release"] + words)
        #expect(pull.status == 1)
        #expect(pull.reports(error), "\(pull.err)")
      }
      try server.setFault(.status(403), for: "\(ReleasedImage.repository).json")
      let blind = try await sandbox.qvm(["pull", "--release", "v9"] + ReleasedImage.words)
      #expect(blind.status == 1)
      #expect(
        blind.reports(
          ReleaseError.notFound(name: ReleasedImage.asset, tag: "v9", page: page)), "\(blind.err)")
    }
  }

  private static let faults: [(fault: ReleaseServer.Fault, says: String)] = [
    (.status(404), "haiku"), (.html, "haiku"), (.truncate(at: 1000), "haiku"),
    (.withoutLength(upTo: 1000), "haiku"),
  ]

  @Test(arguments: 0..<faults.count)
  func `a server that lies leaves nothing under a final name`(index: Int) async throws {
    let (fault, says) = Self.faults[index]
    try await Sandbox.with { sandbox in
      let server = try await PublishedReleases.serve(in: sandbox)
      sandbox.environment["QVM_BASE_URL"] = server.baseURL
      try server.setFault(fault, for: "haiku-r1beta5-x86-64.qcow2")
      let run = try await sandbox.qvm(["run", "-d"] + guest("haiku-x86-64"))
      #expect(run.status == 1)
      #expect(run.err.contains(says))
      let images =
        (try? FileManager.default.subpathsOfDirectory(
          atPath: sandbox.cache.appending(path: "images").path)) ?? []
      #expect(!images.contains { $0.hasSuffix(".qcow2") })
      #expect(try await sandbox.qvm("list", "--json").json["instances"] == .array([]))

      try server.setFault(nil, for: "haiku-r1beta5-x86-64.qcow2")
      let again = try await sandbox.qvm(["pull"] + guest("haiku-x86-64"))
      #expect(again.status == 0, "\(again.err)")
    }
  }

  @Test func `an unreachable server is named`() async throws {
    try await Sandbox.with { sandbox in
      let pull = try await sandbox.qvm("pull", "freebsd", "14.2")
      #expect(pull.status == 1)
      #expect(pull.err.contains("127.0.0.1"))
    }
  }

  @Test func `an interrupted download leaves no process, and the next one completes it`()
    async throws
  {
    try await Sandbox.with { sandbox in
      let server = try await PublishedReleases.serve(in: sandbox)
      sandbox.environment["QVM_BASE_URL"] = server.baseURL
      try server.setFault(.hang, for: "haiku-r1beta5-x86-64.qcow2")
      let pull = try sandbox.start("pull", "haiku", "r1beta5")
      try await eventually("the image was asked for") {
        server.requests.contains { $0.path.hasSuffix("haiku-r1beta5-x86-64.qcow2") }
          || sandbox.processes.contains { $0.command.contains("curl") }
      }
      pull.signal(SIGINT)
      let result = try await pull.end(within: .seconds(20))
      #expect(result.status == 130)
      #expect(sandbox.processes.isEmpty)
      try server.setFault(nil, for: "haiku-r1beta5-x86-64.qcow2")
      #expect(try await sandbox.qvm("pull", "haiku", "r1beta5").status == 0)
    }
  }
}
