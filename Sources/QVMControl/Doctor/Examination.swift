package import QMPClient

/// What `qvm doctor` finds: what this host has, and which QEMU boots a guest with which accelerator.
package struct Examination: Sendable {
  package let findings: [AcceleratorFinding]
  package let checks: [HostCheck]
  /// The QEMUs that commands would use: `managed`, `system`, `folder`.
  let usedOrigins: Set<String>

  /// Whether a guest can be run: something essential that is missing, or no QEMU that works among
  /// those that `QVM_QEMU` allows, is a no.
  package var isGood: Bool {
    checks.allSatisfy { $0.state != .missing }
      && findings.contains { $0.works && usedOrigins.contains($0.origin) }
  }

  package var json: JSONObject {
    [
      "schema": 1, "ok": .bool(isGood),
      "accelerators": .array(findings.map { .object($0.json) }),
      "checks": .array(checks.map { .object($0.json) }),
    ]
  }

  /// Looks at everything; what it makes for that is gone when it returns or throws.
  ///
  /// - Throws: `CancellationError`.
  package static func make(of cache: Cache, on loop: EventLoop) async throws -> Examination {
    var checks = HostCheck.all(in: cache)
    var qemus: [QEMUToolchain] = []
    var usedOrigins: Set<String> = ["managed", "system"]
    do {
      let choice = try QEMUChoice.fromEnvironment()
      usedOrigins = origins(of: choice)
      if case .folder = choice {
        // One for arm64 alone is a folder too.
        qemus = Architecture.allCases.compactMap { try? inFolder(choice, $0, cache) }
        if qemus.isEmpty { _ = try inFolder(choice, .x86_64, cache) }
      }
    } catch {
      checks.append(HostCheck("QVM_QEMU", .missing, error))
    }
    for architecture in Architecture.allCases {
      qemus += [
        QEMUToolchain.managed(architecture, in: cache),
        QEMUToolchain.system(architecture, in: cache),
      ].compactMap(\.self)
    }
    let tried = qemus.filter { $0.target == Architecture.x86_64.qemuTarget }
    if tried.isEmpty {
      checks.append(
        HostCheck("QEMU for x86-64", .missing, ToolchainError.qemuMissing(.x86_64)))
    }
    guard !checks.contains(where: { $0.name == "cache" && $0.state == .missing }) else {
      return Examination(findings: [], checks: checks, usedOrigins: usedOrigins)
    }
    do {
      return try await TrialFolder.with(in: cache) { folder in
        let firmware = try await FirmwareCheck.all(of: qemus, in: folder, on: loop)
        return Examination(
          findings: try await findings(of: tried, in: folder, on: loop),
          checks: checks + firmware, usedOrigins: usedOrigins)
      }
    } catch let error as FileError {
      checks.append(HostCheck("temporary folder", .missing, error))
      return Examination(findings: [], checks: checks, usedOrigins: usedOrigins)
    }
  }

  private static func inFolder(
    _ choice: QEMUChoice, _ architecture: Architecture, _ cache: Cache
  ) throws -> QEMUToolchain {
    let system: OperatingSystem = architecture == .x86_64 ? .demo : .freebsd
    let target = try Target(
      operatingSystem: system.rawValue, version: "1", platform: architecture.rawValue,
      host: Host.architecture)
    return try QEMUToolchain.planned(for: target, in: cache, choice: choice)
  }

  private static func origins(of choice: QEMUChoice) -> Set<String> {
    switch choice {
    case .auto: ["managed", "system"]
    case .managed: ["managed"]
    case .system: ["system"]
    case .folder: ["folder"]
    }
  }

  // MARK: - Trials

  private static func findings(
    of qemus: [QEMUToolchain], in folder: String, on loop: EventLoop
  ) async throws -> [AcceleratorFinding] {
    var found: [AcceleratorFinding] = []
    for qemu in qemus {
      for accelerator in accelerators {
        let result = try await result(of: qemu, accelerator, in: folder, on: loop)
        let (origin, release): (String, String?) =
          switch qemu.origin {
          case .managed(let tag): ("managed", tag)
          case .system: ("system", nil)
          case .folder: ("folder", nil)
          }
        found.append(
          AcceleratorFinding(
            program: qemu.program, origin: origin, release: release, accelerator: accelerator,
            result: result))
      }
    }
    return found
  }

  /// Those that make sense on this host, the fastest first.
  private static var accelerators: [String] {
    // The built-in guest is for x86-64.
    guard Host.architecture == .x86_64 else { return ["tcg"] }
    return [Host.system == "macos" ? "hvf" : "kvm", "tcg"]
  }

  private static func result(
    of qemu: QEMUToolchain, _ accelerator: String, in folder: String, on loop: EventLoop
  ) async throws -> AcceleratorFinding.Result {
    if accelerator == "kvm", !Files.exists("/dev/kvm") {
      return .fails(
        version: nil, why: ["there is no /dev/kvm"],
        advice: "Enable virtualization for this machine; qvm falls back to tcg by itself.")
    }
    do {
      var root = qemu
      if qemu.origin == .system {
        let place = "\(folder)/system-\(qemu.target)"
        try await SystemQEMU.linkFirmware(
          [.bios], for: .x86_64, of: qemu.program, at: place, on: loop)
        root = QEMUToolchain(qemu.program, root: place, .x86_64, .system)
      }
      return try await AcceleratorTrial(
        toolchain: root, accelerator: accelerator, folder: folder, loop: loop
      ).run()
    } catch let error as CancellationError {
      throw error
    } catch {
      let failure = error as? any QVMFailure
      return .fails(
        version: nil, why: [failure?.message ?? "\(error)"], advice: failure?.advice)
    }
  }
}
