import Foundation
import QMPClient
import TestSupport
import Testing

/// What `qvm doctor` finds by booting the built-in guest, and that nothing of it stays.
@Suite(.timeLimit(.minutes(15))) struct DoctorTests {
  private func finding(
    _ accelerator: String, _ origin: String, in output: Sandbox.Output
  ) -> JSONValue {
    output.json["accelerators"]?.array?.first {
      $0["accelerator"]?.string == accelerator && $0["origin"]?.string == origin
    } ?? .null
  }

  @Test func `the system's QEMU boots the guest with tcg, and the document has its keys`()
    async throws
  {
    try await Sandbox.with { sandbox in
      let output = try await sandbox.qvm("doctor", "--json")
      #expect(output.status == 0, "\(output.out)\(output.err)")
      #expect(output.json["schema"]?.int == 1)
      #expect(output.json["ok"]?.bool == true)
      let tcg = finding("tcg", "system", in: output)
      #expect(tcg["works"]?.bool == true)
      #expect(tcg["version"]?.string?.isEmpty == false)
      #expect(tcg["release"] == .null)
      #expect(tcg["why"]?.array == [])
      #expect(finding("kvm", "system", in: output)["works"] != nil)
      let names = output.json["checks"]?.array?.compactMap { $0["name"]?.string } ?? []
      for name in ["cache", "runtime folder", "curl", "tar", "zstd", "ssh", "qemu-img", "ssh port"]
      {
        #expect(names.contains(name))
      }
      #expect(names.contains("bios-256k.bin for x86-64, system"))
      // The cache wasn't there, and isn't.
      #expect(!FileManager.default.fileExists(atPath: sandbox.cache.path))
      #expect(sandbox.processes.isEmpty)
    }
  }

  @Test func `a QEMU that fails is reported in its own words, with what to do`() async throws {
    try await Sandbox.with { sandbox in
      try await sandbox.useQEMU(
        script: "echo 'qemu: error: failed to set MSR 0x10a to 0x0' >&2; kill -ABRT $$")
      let output = try await sandbox.qvm("doctor")
      #expect(output.status == 1)
      #expect(output.out.contains("QEMU exited before the guest ran: signal 6"))
      #expect(output.out.contains("  qemu: error: failed to set MSR 0x10a to 0x0\n"))
      #expect(output.out.contains("  Reinstall this QEMU"))
      #expect(output.out.contains("working QEMU: no QEMU that QVM_QEMU allows can run a guest"))
      let json = try await sandbox.qvm("doctor", "--json")
      #expect(json.status == 1)
      #expect(finding("tcg", "folder", in: json)["works"]?.bool == false)
      // It is there and works, but isn't what QVM_QEMU asks for.
      #expect(finding("tcg", "system", in: json)["works"]?.bool == true)
    }
  }

  @Test func `without any QEMU the command that installs one follows`() async throws {
    try await Sandbox.with { sandbox in
      sandbox.environment["PATH"] = "/nowhere"
      let output = try await sandbox.qvm("doctor")
      #expect(output.status == 1)
      #expect(output.out.contains("qemu-system-x86_64 is not installed"))
      #expect(output.out.contains("Install qemu-system-x86 "))
    }
  }

  @Test func `a QEMU that a run would download is not missing`() async throws {
    try await Sandbox.with { sandbox in
      for (choice, hasSystem) in [("", false), ("managed", false), ("managed", true)] {
        let tools = sandbox.folder.appending(path: "tools\(choice)\(hasSystem)")
        let names = ["curl", "tar"] + (hasSystem ? ["qemu-system-x86_64"] : [])
        try sandbox.link(names, into: tools)
        sandbox.environment["PATH"] = tools.path
        sandbox.environment["QVM_QEMU"] = choice
        let output = try await sandbox.qvm("doctor", "--json")
        #expect(output.status == 0, "\(output.out)\(output.err)")
        let check = output.json["checks"]?.array?.first {
          $0["name"]?.string == "QEMU for x86-64"
        }
        #expect(check?["state"]?.string == "absent")
        #expect(check?["detail"]?.string == "is downloaded when it is needed")
        #expect(finding("tcg", "system", in: output)["works"]?.bool == (hasSystem ? true : nil))
      }
    }
  }

  @Test func `an invalid choice is reported once, and the cache stays as it is`() async throws {
    try await Sandbox.with { sandbox in
      try FileManager.default.createDirectory(
        at: sandbox.cache, withIntermediateDirectories: true,
        attributes: [.posixPermissions: 0o755])
      sandbox.environment["QVM_QEMU"] = "foo"
      let output = try await sandbox.qvm("doctor")
      #expect(output.status == 1)
      #expect(output.out.contains("\nQVM_QEMU='foo' is neither"), "\(output.out)")
      let found = try FileManager.default.attributesOfItem(atPath: sandbox.cache.path)
      #expect(found[.posixPermissions] as? Int == 0o755)
      let left = try FileManager.default.contentsOfDirectory(atPath: sandbox.cache.path)
      #expect(left.isEmpty)
    }
  }

  @Test func `a downloaded QEMU for arm64 runs its firmware, which is told apart from others'`()
    async throws
  {
    try await Sandbox.with { sandbox in
      let server = try await PublishedReleases.serve(in: sandbox)
      sandbox.environment["QVM_BASE_URL"] = server.baseURL
      sandbox.environment["QVM_QEMU"] = "managed"
      let pull = try await sandbox.qvm("pull", "--platform", "arm64", "freebsd", "14.2")
      #expect(pull.status == 0, "\(pull.err)")
      let output = try await sandbox.qvm("doctor", "--json")
      #expect(output.status == 0, "\(output.out)")
      let managed = finding("tcg", "managed", in: output)
      #expect(managed["platform"]?.string == "arm64")
      #expect(managed["result"]?.string == "starts", "\(managed)")
      #expect(managed["version"]?.string?.isEmpty == false)
      let names = output.json["checks"]?.array?.compactMap { $0["name"]?.string } ?? []
      #expect(names.count == Set(names).count)
      #expect(names.contains("uefi.fd for arm64, managed"))

      // One that can't run what firmware begins with.
      let program = sandbox.cache.appending(path: "qemu/aarch64/bin/qemu-system-aarch64")
      try FileManager.default.removeItem(at: program)
      try await sandbox.writeProgram("kill -ABRT $$", to: program)
      let broken = try await sandbox.qvm("doctor", "--json")
      #expect(broken.status == 1)
      #expect(finding("tcg", "managed", in: broken)["result"]?.string == "fails")
    }
  }

  @Test(arguments: [SIGINT, SIGTERM, SIGQUIT])
  func `a signal ends it at once, and nothing is left`(signal: Int32) async throws {
    try await Sandbox.with { sandbox in
      try await sandbox.useQEMU(script: "exec sleep 60")
      let doctor = try sandbox.start("doctor")
      try await eventually("QEMU runs") {
        sandbox.processes.contains { $0.command.hasPrefix("sleep") }
      }
      let begin = ContinuousClock.now
      doctor.signal(signal)
      #expect(try await doctor.end().status == 130)
      #expect(begin.duration(to: .now) < .seconds(5))
      try await eventually("no process is left") { sandbox.processes.isEmpty }
      #expect(!FileManager.default.fileExists(atPath: sandbox.cache.path))
    }
  }

  @Test func `what an examination leaves that is killed goes with the next, or is pruned`()
    async throws
  {
    try await Sandbox.with { sandbox in
      #expect(try await sandbox.qvm("run", "-d", "--name", "vm", "demo", "1").status == 0)
      let path = sandbox.environment["QVM_QEMU"]
      try await sandbox.useQEMU(script: "exec sleep 60")
      func folders() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: sandbox.cache.path)
          .filter { $0.hasPrefix(".doctor") }
      }
      func abandon() async throws {
        let doctor = try sandbox.start("doctor")
        // Noted, so that others find it.
        try await eventually("QEMU runs") {
          try folders().contains {
            FileManager.default.fileExists(
              atPath: sandbox.cache.appending(path: "\($0)/process").path)
          }
        }
        #expect(try folders().count == 1)
        // While it lives, its folder concerns no other process.
        let dry = try await sandbox.qvm("prune", "--dry-run", "--json")
        #expect(!dry.out.contains("\"trial\""), "\(dry.out)")
        doctor.signal(SIGKILL)
        _ = try await doctor.end()
        #expect(try folders().count == 1)
        #expect(sandbox.processes.contains { $0.command.hasPrefix("sleep") })
      }
      func isTidy() async throws {
        #expect(try folders() == [])
        try await eventually("its QEMU was ended, too") {
          !sandbox.processes.contains { $0.command.hasPrefix("sleep") }
        }
      }
      try await abandon()
      sandbox.environment["QVM_QEMU"] = path
      #expect(try await sandbox.qvm("doctor", "--json").json["schema"]?.int == 1)
      try await isTidy()
      sandbox.environment["QVM_QEMU"] = sandbox.folder.appending(path: "qemu").path
      try await abandon()
      let dry = try await sandbox.qvm("prune", "--dry-run", "--json")
      #expect(dry.out.contains("\"trial\""), "\(dry.out)")
      #expect(try await sandbox.qvm("prune", "--yes").status == 0)
      try await isTidy()
    }
  }

  @Test func `a full disk is named, and no QEMU is blamed for it`() async throws {
    try await Sandbox.with { sandbox in
      try await SmallDisk.with(sandbox, at: sandbox.cache, size: "1m") { disk in
        let doctor = try await disk.qvm("doctor", "--json")
        #expect(doctor.status == 1)
        let checks = doctor.json["checks"]?.array ?? []
        let bad = checks.filter { $0["state"]?.string == "missing" }.compactMap {
          $0["name"]?.string
        }
        #expect(bad == ["cache"])
      }
    }
  }
}
