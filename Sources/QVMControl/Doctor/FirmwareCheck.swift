internal import QMPClient

/// Checks whether the QEMUs have the firmware that the drivers name.
enum FirmwareCheck {
  /// The firmware that the drivers need, by the guests' architecture.
  private static let needed: [(Firmware, Architecture)] = [
    (.bios, .x86_64), (.uefi, .x86_64), (.uefi, .arm64),
  ]

  /// Checks the firmware of every installed QEMU.
  ///
  /// - Parameters:
  ///   - qemus: The QEMUs of both architectures.
  ///   - versions: The QEMUs' versions, by their programs.
  ///   - folder: A temporary folder, for links to the firmware of a system QEMU.
  ///   - loop: The loop that the calling task runs on.
  /// - Returns: One check for each QEMU and firmware.
  /// - Throws: `CancellationError`.
  static func all(
    of qemus: [QEMUToolchain], versions: [String: QEMUVersion], in folder: String,
    on loop: EventLoop
  ) async throws -> [HostCheck] {
    var found: [HostCheck] = []
    for qemu in qemus {
      for (firmware, architecture) in needed where architecture.qemuTarget == qemu.target {
        let name =
          "\(firmware.rawValue) for \(architecture.rawValue), \(InstalledQEMUs.origin(of: qemu))"
        var root = qemu.root
        do {
          if qemu.origin == .system {
            root = "\(folder)/system-\(qemu.target)"
            try await SystemQEMU.linkFirmware(
              [firmware], for: architecture, of: qemu.program, at: root, on: loop)
          }
          let path = firmware.path(in: root)
          if let problem = firmware.problem(path, for: architecture) {
            throw ToolchainError.badFirmware(path: path, why: problem)
          }
          let file = Files.resolved(path) ?? path
          let slowness = versions[qemu.program].flatMap { firmware.slowness(file, with: $0) }
          if let slowness {
            found.append(
              HostCheck(
                name, .absent, "\(file) \(slowness)",
                advice: "Install SeaBIOS 1.16.3 or newer, or use the QEMU that came with this one.")
            )
          } else {
            found.append(HostCheck(name, .ok, file))
          }
        } catch let error as CancellationError {
          throw error
        } catch {
          found.append(HostCheck(name, .absent, error))
        }
      }
    }
    return found
  }
}
