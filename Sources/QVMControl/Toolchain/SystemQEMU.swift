internal import QMPClient

/// The QEMU that is installed on this system, and its firmware.
enum SystemQEMU {
  /// The absolute path of the program; nil if it isn't installed.
  static func program(for architecture: Architecture) -> String? {
    Host.find("qemu-system-\(architecture.qemuTarget)")
  }

  /// Links the firmware of a system QEMU into the cache, under the names that the drivers use.
  ///
  /// Valid links stay unchanged. If all links are valid, no program is run.
  ///
  /// - Throws: `firmwareMissing`; ``FileError``.
  static func linkFirmware(
    _ needed: [Firmware], for architecture: Architecture, of program: String, at root: String,
    on loop: EventLoop
  ) async throws {
    let missing = needed.filter { $0.problem($0.path(in: root), for: architecture) != nil }
    if missing.isEmpty { return }
    try Files.makeFolder("\(root)/share/qemu")
    let folders = try await dataFolders(of: program, on: loop)
    for firmware in missing {
      let candidates = candidates(for: firmware, architecture, in: folders)
      guard let found = candidates.first(where: { firmware.problem($0, for: architecture) == nil })
      else {
        throw ToolchainError.firmwareMissing(firmware.rawValue, architecture, program: program)
      }
      try link(found, at: firmware.path(in: root))
    }
  }

  /// Makes or replaces a link atomically, because another process may be using it.
  private static func link(_ target: String, at path: String) throws(FileError) {
    // If nothing is there, one call makes it, and a kill leaves no other file behind.
    if Files.information(path) == nil { return try Files.link(target, at: path) }
    let temporary = "\(Files.parent(of: path))/.\(Randomness.hexadecimal(bytes: 4))"
    try Files.link(target, at: temporary)
    do throws(FileError) { try Files.rename(temporary, to: path) } catch {
      try? Files.remove(temporary)
      throw error
    }
  }

  /// The timeout for asking a QEMU for its data folders.
  private static let helpTime = Duration.seconds(10)

  /// The folders in which a QEMU searches its own files, as it prints them.
  private static func dataFolders(of program: String, on loop: EventLoop) async throws -> [String] {
    let output = try await Subprocess.run(program, ["-L", "help"], within: helpTime, on: loop)
    guard output.succeeded else {
      throw ToolchainError.cannotRun(program: program, why: output.problem)
    }
    let text = String(decoding: output.standardOutput, as: UTF8.self)
    return text.split(whereSeparator: \.isNewline).map(String.init).filter { $0.hasPrefix("/") }
  }

  /// The paths at which distributions install a firmware, the best first.
  static func candidates(
    for firmware: Firmware, _ architecture: Architecture, in folders: [String]
  ) -> [String] {
    let (names, places): ([String], [String]) =
      switch (firmware, architecture) {
      case (.bios, _): (["bios-256k.bin"], ["/usr/share/seabios", "/usr/share/qemu"])
      case (_, .x86_64):
        (
          // Images with space for variables first: they work unchanged. Code alone boots too, with
          // its variables in memory. Builds with Secure Boot are missing, because they need more
          // than one flash.
          [
            "OVMF.fd", "OVMF.4m.fd", "ovmf-x86_64.bin", "OVMF_CODE_4M.fd", "OVMF_CODE.4m.fd",
            "OVMF_CODE.fd", "ovmf-x86_64-code.bin", "edk2-x86_64-code.fd",
          ],
          [
            "/usr/share/ovmf", "/usr/share/OVMF", "/usr/share/ovmf/x64", "/usr/share/edk2/x64",
            "/usr/share/edk2-ovmf/x64", "/usr/share/edk2/ovmf", "/usr/share/edk2-ovmf",
            "/usr/share/qemu", "/opt/homebrew/share/qemu", "/usr/local/share/qemu",
          ]
        )
      case (_, .arm64):
        (
          [
            "QEMU_EFI.fd", "edk2-aarch64-code.fd", "AAVMF_CODE.fd", "qemu-uefi-aarch64.bin",
            "aavmf-aarch64-code.bin", "QEMU_CODE.fd",
          ],
          [
            "/usr/share/qemu-efi-aarch64", "/usr/share/edk2/aarch64", "/usr/share/AAVMF",
            "/usr/share/edk2-armvirt/aarch64", "/usr/share/qemu", "/opt/homebrew/share/qemu",
            "/usr/local/share/qemu",
          ]
        )
      }
    return names.flatMap { name in (folders + places).map { "\($0)/\(name)" } }
  }
}
