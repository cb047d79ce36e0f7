/// The installed QEMUs, and those of them that commands would use.
struct InstalledQEMUs: Sendable {
  /// The QEMUs of both architectures.
  private(set) var all: [QEMUToolchain] = []
  /// `managed`, `system`, `folder`.
  private(set) var usedOrigins: Set<String> = ["managed", "system"]
  /// What is wrong with `QVM_QEMU`; nil if nothing is.
  private(set) var failure: HostCheck?

  /// The host's own architecture first.
  private static let architectures =
    [Host.architecture] + Architecture.allCases.filter { $0 != Host.architecture }

  init(in cache: Cache) {
    do {
      let choice = try QEMUChoice.fromEnvironment()
      usedOrigins = Self.origins(of: choice)
      if case .folder = choice {
        // The folder may have a QEMU for arm64 alone.
        all = Self.architectures.compactMap { try? Self.inFolder(choice, $0, cache) }
        if all.isEmpty { _ = try Self.inFolder(choice, .x86_64, cache) }
      }
    } catch {
      failure = HostCheck("QVM_QEMU", .missing, error)
    }
    for architecture in Self.architectures {
      all += [
        QEMUToolchain.managed(architecture, in: cache),
        QEMUToolchain.system(architecture, in: cache),
      ].compactMap(\.self)
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

  /// `managed`, `system` or `folder`.
  static func origin(of qemu: QEMUToolchain) -> String {
    switch qemu.origin {
    case .managed: "managed"
    case .system: "system"
    case .folder: "folder"
    }
  }

  /// The first QEMU that commands would use for an architecture's guests; nil if there is none.
  func used(for architecture: Architecture) -> QEMUToolchain? {
    all.first {
      $0.target == architecture.qemuTarget && usedOrigins.contains(Self.origin(of: $0))
    }
  }

  /// One check for each architecture, and one for an invalid `QVM_QEMU`.
  var checks: [HostCheck] {
    Self.architectures.map { check($0) } + [failure].compactMap(\.self)
  }

  private func check(_ architecture: Architecture) -> HostCheck {
    let name = "QEMU for \(architecture.rawValue)"
    if let found = used(for: architecture) { return HostCheck(name, .ok, found.program) }
    if HostCheck.isDownloaded { return HostCheck(name, .absent, HostCheck.downloadedLater) }
    // A folder may be meant for the other architecture only.
    let isEssential = architecture == Host.architecture && !usedOrigins.contains("folder")
    return HostCheck(
      name, isEssential ? .missing : .absent, ToolchainError.qemuMissing(architecture))
  }
}
