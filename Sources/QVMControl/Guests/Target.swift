/// What to run: an operating system, its version and the VM's architecture.
///
/// A `Target` is checked: its parts are safe in a file name and in a URL, and it has a driver.
package struct Target: Sendable, Hashable {
  package let operatingSystem: OperatingSystem
  package let version: String
  package let architecture: Architecture

  /// Reads a target: an operating system in upper or lower case, a version as in the names of base
  /// images, and an architecture in any usual spelling.
  ///
  /// Without a `platform`, the architecture is the host's if the operating system supports it, else
  /// the first supported one.
  package init(
    operatingSystem word: String, version: String, platform: String?, host: Architecture
  ) throws(TargetError) {
    guard let operatingSystem = OperatingSystem(word: word) else {
      if let system = OperatingSystem(word: version) { throw .swapped(system, version: word) }
      throw .unknownOperatingSystem(word)
    }
    guard Self.isVersion(version) else { throw .badVersion(version) }
    guard operatingSystem != .demo || version == Self.demoVersion else {
      throw .noSuchDemo(version: version)
    }
    self.operatingSystem = operatingSystem
    self.version = version
    architecture = try Self.architecture(platform, of: operatingSystem, host: host)
  }

  /// The base image's name, without its extension: `freebsd-14.2-x86-64`.
  package var imageName: String {
    "\(operatingSystem.rawValue)-\(version)-\(architecture.rawValue)"
  }

  /// The one version of the built-in demo guest.
  static let demoVersion = "1"

  private static func architecture(
    _ platform: String?, of operatingSystem: OperatingSystem, host: Architecture
  ) throws(TargetError) -> Architecture {
    let available = operatingSystem.architectures
    guard let platform else {
      return available.contains(host) ? host : available.first ?? host
    }
    guard let architecture = Architecture(word: platform) else { throw .unknownPlatform(platform) }
    guard available.contains(architecture) else {
      throw .platformNotAvailable(operatingSystem, architecture)
    }
    return architecture
  }

  /// Whether a version has 1 to 32 letters, digits, dots and dashes, begins with a letter or digit,
  /// and has no two dots in a row.
  private static func isVersion(_ version: String) -> Bool {
    let bytes = Array(version.utf8)
    guard let first = bytes.first, bytes.count <= 32, first.isASCIIAlphanumeric else {
      return false
    }
    let dot = UInt8(ascii: ".")
    return bytes.allSatisfy { $0.isASCIIAlphanumeric || $0 == dot || $0 == UInt8(ascii: "-") }
      && !zip(bytes, bytes.dropFirst()).contains { $0 == dot && $1 == dot }
  }
}
