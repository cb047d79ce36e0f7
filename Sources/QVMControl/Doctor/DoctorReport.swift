package import QMPClient

/// The results of `qvm doctor`: what this host has, and which QEMU works with which accelerator.
package struct DoctorReport: Sendable {
  package let findings: [AcceleratorReport]
  package let checks: [HostCheck]

  /// Whether a guest can run. False if something essential is missing, or none of the QEMUs that
  /// `QVM_QEMU` allows works. A QEMU that the first run would download counts as working.
  package var isGood: Bool { checks.allSatisfy { $0.state != .missing } }

  package var json: JSONObject {
    [
      "schema": 1, "ok": .bool(isGood),
      "accelerators": .array(findings.map { .object($0.json) }),
      "checks": .array(checks.map { .object($0.json) }),
    ]
  }

  /// Checks everything. All temporary files are removed when it returns or throws.
  ///
  /// - Throws: `CancellationError`.
  package static func make(of cache: Cache, on loop: EventLoop) async throws -> DoctorReport {
    let qemus = InstalledQEMUs(in: cache)
    let checks = HostCheck.all(in: cache) + qemus.checks
    guard !checks.contains(where: { $0.name == "cache" && $0.state == .missing }) else {
      return DoctorReport(findings: [], checks: checks)
    }
    do {
      return try await TrialFolder.with(in: cache) { folder in
        let findings = try await findings(of: qemus.all, in: folder, on: loop)
        let versions = findings.compactMap { finding in
          finding.version.flatMap { QEMUVersion($0) }.map { (finding.program, $0) }
        }
        let firmware = try await FirmwareCheck.all(
          of: qemus.all, versions: Dictionary(versions) { first, _ in first }, in: folder, on: loop)
        let verdict = verdict(findings.filter { qemus.usedOrigins.contains($0.origin) })
        return DoctorReport(
          findings: findings, checks: checks + firmware + [verdict].compactMap(\.self))
      }
    } catch let error as FileError {
      let failure = HostCheck("temporary folder", .missing, error)
      return DoctorReport(findings: [], checks: checks + [failure])
    }
  }

  /// The failed check if none of the QEMUs that commands may use works; nil if one works or there
  /// is none.
  ///
  /// Only QEMUs for this host's architecture count, if there are any.
  static func verdict(_ used: [AcceleratorReport]) -> HostCheck? {
    let native = used.filter { $0.architecture == Host.architecture }
    let counting = native.isEmpty ? used : native
    if counting.isEmpty || counting.contains(where: \.works) { return nil }
    return HostCheck(
      "working QEMU", .missing, "no QEMU that QVM_QEMU allows can run a guest",
      advice: "Set QVM_QEMU to managed, system or a folder with a QEMU that works.")
  }

  // MARK: - Trials

  private static func findings(
    of qemus: [QEMUToolchain], in folder: String, on loop: EventLoop
  ) async throws -> [AcceleratorReport] {
    var found: [AcceleratorReport] = []
    for qemu in qemus {
      guard let architecture = Architecture.allCases.first(where: { $0.qemuTarget == qemu.target })
      else { continue }
      for accelerator in accelerators(for: architecture) {
        let result = try await result(of: qemu, architecture, accelerator, in: folder, on: loop)
        let release: String? = if case .managed(let tag) = qemu.origin { tag } else { nil }
        found.append(
          AcceleratorReport(
            program: qemu.program, origin: InstalledQEMUs.origin(of: qemu), release: release,
            architecture: architecture, accelerator: accelerator, result: result))
      }
    }
    return found
  }

  /// The accelerators that are possible on this host, the fastest first.
  private static func accelerators(for architecture: Architecture) -> [String] {
    guard Host.architecture == architecture else { return ["tcg"] }
    return [Host.system == "macos" ? "hvf" : "kvm", "tcg"]
  }

  private static func result(
    of qemu: QEMUToolchain, _ architecture: Architecture, _ accelerator: String,
    in folder: String, on loop: EventLoop
  ) async throws -> AcceleratorReport.Finding {
    if accelerator == "kvm", !Files.exists("/dev/kvm") {
      return .fails(
        version: nil, why: ["there is no /dev/kvm"],
        advice:
          "Enable virtualization on this machine to use KVM. Without it, qvm falls back to tcg.")
    }
    do {
      var root = qemu
      if qemu.origin == .system {
        let place = "\(folder)/system-\(qemu.target)"
        try await SystemQEMU.linkFirmware(
          [architecture == .x86_64 ? .bios : .uefi], for: architecture, of: qemu.program,
          at: place, on: loop)
        root = QEMUToolchain(qemu.program, root: place, architecture, .system)
      }
      return try await AcceleratorTrial(
        toolchain: root, accelerator: accelerator, folder: folder, loop: loop
      ).run()
    } catch let error as CancellationError {
      throw error
    } catch {
      let failure = error as? any UserFacingError
      return .fails(
        version: nil, why: [failure?.message ?? "\(error)"], advice: failure?.advice)
    }
  }
}
