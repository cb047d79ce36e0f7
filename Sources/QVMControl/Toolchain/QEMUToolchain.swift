/// A QEMU for guests of one architecture, with its firmware.
package struct QEMUToolchain: Sendable, Hashable {
  package enum Origin: Sendable, Hashable {
    /// From a release; nil before it is downloaded.
    case managed(tag: String?)
    case system
    case folder
  }

  /// The absolute path of QEMU.
  package let program: String
  /// The folder with the firmware in `share/qemu`, which the drivers call `$QVM_CACHE`.
  package let root: String
  /// QEMU's name for the guest's architecture.
  package let target: String
  package let origin: Origin
  package let hasLinaroFirmware: Bool

  init(_ program: String, root: String, _ architecture: Architecture, _ origin: Origin) {
    self.program = program
    self.root = root
    target = architecture.qemuTarget
    self.origin = origin
    let linaro = Firmware.linaro
    hasLinaroFirmware = linaro.problem(linaro.path(in: root), for: architecture) == nil
  }

  // MARK: - The driver's arguments

  /// Adapts a driver's arguments to this QEMU.
  ///
  /// The specification boots OpenBSD on arm64 with Linaro's firmware, which the current releases
  /// don't have any more. With the usual firmware the kernel hangs while it sets up ACPI; without
  /// ACPI it starts from the device tree. (cross-platform-actions/action#160.)
  package func adapted(_ arguments: QEMUArguments, for target: Target) -> QEMUArguments {
    let linaro = Firmware.linaro.path(in: root)
    guard !hasLinaroFirmware, let index = arguments.words.firstIndex(of: linaro) else {
      return arguments
    }
    var words = arguments.words
    words[index] = Firmware.uefi.path(in: root)
    return QEMUArguments(words).settingMachineProperty("acpi", "off")
  }

  /// What a run would change in a driver's arguments if this QEMU turns out to lack a firmware, as
  /// a sentence. Nil if nothing would change, or the answer is already known.
  package func openChange(to arguments: QEMUArguments) -> String? {
    let isOpen = !hasLinaroFirmware && !Files.exists(Firmware.uefi.path(in: root))
    guard isOpen, arguments.words.contains(Firmware.linaro.path(in: root)) else { return nil }
    return
      "this is the specified command. If QEMU has no \(Firmware.linaro.rawValue), as in its current"
      + " releases, 'qvm run' uses \(Firmware.uefi.rawValue) and acpi=off instead"
  }

  /// The firmware that a guest needs with this QEMU.
  func firmware(for target: Target) throws(TargetError) -> [Firmware] {
    let needed = try Firmware.needed(by: target)
    return needed.map { $0 == .linaro && !hasLinaroFirmware ? .uefi : $0 }
  }

  // MARK: - Planning

  /// The QEMU that ``ensure(for:choice:refresh:with:)`` would return. Reads a few files, writes
  /// nothing, and uses no network.
  ///
  /// - Parameters:
  ///   - target: The target.
  ///   - cache: The cache with the managed QEMUs.
  ///   - choice: The choice; `QVM_QEMU` if nil.
  /// - Returns: A QEMU whose files may still be missing.
  /// - Throws: ``ToolchainError``.
  package static func planned(
    for target: Target, in cache: Cache, choice: QEMUChoice? = nil
  ) throws -> QEMUToolchain {
    let architecture = target.architecture
    switch try choice ?? .fromEnvironment() {
    case .folder(let folder): return try inFolder(folder, architecture)
    case .system:
      guard let system = system(architecture, in: cache) else {
        throw ToolchainError.qemuMissing(architecture)
      }
      return system
    case .managed:
      guard QEMUChoice.canRunManaged(isAsked: true) else { throw unavailable }
      return managed(architecture, in: cache) ?? toBeManaged(architecture, in: cache)
    case .auto:
      if let managed = managed(architecture, in: cache) { return managed }
      let system = system(architecture, in: cache)
      // The demo guest is for trying qvm, which must not begin with a download.
      if target.operatingSystem == .demo, let system { return system }
      if QEMUChoice.canRunManaged(isAsked: false) { return toBeManaged(architecture, in: cache) }
      guard let system else { throw ToolchainError.qemuMissing(architecture) }
      return system
    }
  }

  static var unavailable: ToolchainError {
    .managedUnavailable(host: "\(Host.system) on \(Host.architecture.rawValue)")
  }

  /// The managed one, if it is installed.
  static func managed(_ architecture: Architecture, in cache: Cache) -> QEMUToolchain? {
    let root = cache.toolchain(architecture.qemuTarget)
    guard let tag = ReleaseMarker.tag(in: root) else { return nil }
    let program = programPath(in: root, architecture)
    guard Files.isExecutable(program) else { return nil }
    return QEMUToolchain(program, root: root, architecture, .managed(tag: tag))
  }

  private static func toBeManaged(_ architecture: Architecture, in cache: Cache) -> QEMUToolchain {
    let root = cache.toolchain(architecture.qemuTarget)
    return QEMUToolchain(
      programPath(in: root, architecture), root: root, architecture, .managed(tag: nil))
  }

  static func programPath(in root: String, _ architecture: Architecture) -> String {
    "\(root)/bin/qemu-system-\(architecture.qemuTarget)"
  }

  static func system(_ architecture: Architecture, in cache: Cache) -> QEMUToolchain? {
    SystemQEMU.program(for: architecture).map {
      QEMUToolchain(
        $0, root: cache.systemFirmware(architecture.qemuTarget), architecture, .system)
    }
  }

  private static func inFolder(
    _ folder: String, _ architecture: Architecture
  ) throws(ToolchainError) -> QEMUToolchain {
    let program = programPath(in: folder, architecture)
    guard Files.isExecutable(program) else {
      throw .incompleteFolder(folder, missing: "bin/\(Files.lastName(of: program))")
    }
    return QEMUToolchain(program, root: folder, architecture, .folder)
  }
}
