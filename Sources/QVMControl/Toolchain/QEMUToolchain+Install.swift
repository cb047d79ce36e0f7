internal import QMPClient

extension QEMUToolchain {
  /// Makes sure that there is a QEMU for a target, with the firmware that the driver names.
  ///
  /// An installed one is used without any network access, unless `refresh`.
  ///
  /// - Parameters:
  ///   - target: The target.
  ///   - choice: The choice; `QVM_QEMU` if nil.
  ///   - refresh: Whether to look for a newer release of the managed one. If that fails, the
  ///     installed one stays.
  ///   - client: The source, and the cache.
  /// - Returns: A QEMU that can be spawned at once.
  /// - Throws: ``ToolchainError``, ``ReleaseError``, ``DownloadError``, ``ArchiveError``;
  ///   `CancellationError`.
  package static func ensure(
    for target: Target, choice: QEMUChoice? = nil, refresh: Bool = false,
    with client: ReleaseClient
  ) async throws -> QEMUToolchain {
    let choice = try choice ?? .fromEnvironment()
    var toolchain = try planned(for: target, in: client.cache, choice: choice)
    if case .managed(let tag) = toolchain.origin, tag == nil || refresh {
      do {
        toolchain = try await install(target.architecture, refresh: refresh, with: client)
      } catch let failure as any UserFacingError {
        toolchain = try instead(of: failure, for: target.architecture, choice, with: client)
      }
    }
    try await toolchain.checkFirmware(for: target, with: client)
    return toolchain
  }

  /// The replacement if the download fails: the installed one, which may have been restored by now,
  /// else the system's.
  private static func instead(
    of failure: any UserFacingError, for architecture: Architecture, _ choice: QEMUChoice,
    with client: ReleaseClient
  ) throws -> QEMUToolchain {
    if let there = managed(architecture, in: client.cache), case .managed(let tag?) = there.origin {
      client.notify("keeping the QEMU of \(tag): \(failure.message)")
      return there
    }
    guard choice == .auto, let system = system(architecture, in: client.cache) else {
      throw failure
    }
    client.notify("using \(system.program) instead: \(failure.message)")
    return system
  }

  private func checkFirmware(for target: Target, with client: ReleaseClient) async throws {
    let needed = try firmware(for: target)
    if origin == .system {
      return try await SystemQEMU.linkFirmware(
        needed, for: target.architecture, of: program, at: root, on: client.loop)
    }
    for firmware in needed {
      let path = firmware.path(in: root)
      if let problem = firmware.problem(path, for: target.architecture) {
        throw ToolchainError.badFirmware(path: path, why: problem)
      }
    }
  }

  /// Downloads the managed QEMU for an architecture's guests.
  private static func install(
    _ architecture: Architecture, refresh: Bool, with client: ReleaseClient
  ) async throws -> QEMUToolchain {
    let cache = client.cache
    let target = architecture.qemuTarget
    let program = Archive.Member(path: "bin/qemu") { try ProgramFile.problem($0) }
    // The firmware that most of the architecture's guests need.
    let firmware: Firmware = architecture == .x86_64 ? .bios : .uefi
    let member = Archive.Member(path: "share/qemu/\(firmware.rawValue)") {
      firmware.problem($0, for: architecture)
    }
    let resource = ToolArchive(
      asset: "qemu-system-\(target)-\(Host.system).tar", folder: cache.toolchain(target),
      members: [program, member],
      // The program has the same name in the archives of all targets.
      programs: [("bin/qemu", "bin/qemu-system-\(target)")])
    return try await resource.install(refresh: refresh, with: client) {
      managed(architecture, in: cache)
    }
  }
}
