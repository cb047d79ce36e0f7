/// The literal QEMU command line for one operating system on one architecture.
///
/// Each driver is a file of its own. Drivers share nothing, not even a constant, so that a guest's
/// whole command line is in one place.
package struct Driver: Sendable {
  package let operatingSystem: OperatingSystem
  package let architecture: Architecture
  private let words: @Sendable (DriverPaths) -> [String]

  init(
    _ operatingSystem: OperatingSystem, _ architecture: Architecture,
    words: @escaping @Sendable (DriverPaths) -> [String]
  ) {
    self.operatingSystem = operatingSystem
    self.architecture = architecture
    self.words = words
  }

  /// The drivers of specification §7, in its order.
  package static let specified: [Driver] = [
    .freebsdArm64, .freebsdX8664, .openbsdArm64, .openbsdX8664, .netbsdArm64, .netbsdX8664,
    .haikuX8664, .omniosX8664,
  ]

  /// Every driver: the specified ones and the built-in demo guest's.
  package static let all: [Driver] = specified + [.demoX8664]

  /// The driver for a target.
  ///
  /// - Throws: `platformNotAvailable` if the operating system has none for that architecture.
  package static func find(_ target: Target) throws(TargetError) -> Driver {
    let driver = all.first {
      $0.operatingSystem == target.operatingSystem && $0.architecture == target.architecture
    }
    guard let driver else {
      throw .platformNotAvailable(target.operatingSystem, target.architecture)
    }
    return driver
  }

  /// The command that boots the guest. It begins with QEMU's name, such as `qemu-system-aarch64`.
  ///
  /// QEMU splits every value but that of `-bios` at commas, so a comma in a path must be doubled
  /// there. This function does that, and the drivers can write each path in the same way.
  package func command(_ paths: DriverPaths) -> [String] {
    let plain = words(paths)
    let quoted = words(paths.quotedForOptions)
    return plain.indices.map { index in
      index > 0 && plain[index - 1] == "-bios" ? plain[index] : quoted[index]
    }
  }
}

extension Driver: CustomStringConvertible {
  /// The driver's name in the specification, without its extension: `freebsd-x86-64`.
  package var description: String { "\(operatingSystem.rawValue)-\(architecture.rawValue)" }
}

/// The paths in a driver's command line. They are absolute, as specification §8 requires.
package struct DriverPaths: Sendable {
  /// The folder that holds `share/qemu` with the firmware: the specification's `$QVM_CACHE`.
  package let cache: String
  /// The instance's disk: the specification's `$VM_IMAGE`.
  package let image: String

  package init(cache: String, image: String) {
    self.cache = cache
    self.image = image
  }

  fileprivate var quotedForOptions: DriverPaths {
    DriverPaths(cache: QEMUOptionValue.quoted(cache), image: QEMUOptionValue.quoted(image))
  }
}
