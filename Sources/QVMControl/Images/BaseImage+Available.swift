extension BaseImage {
  /// A base image that a release has.
  package struct Available: Sendable, Hashable {
    package let version: String
    package let architecture: Architecture

    /// Reads the name of an asset, such as `freebsd-14.2-x86-64.qcow2` or, for a bundle,
    /// `netbsd-10.1-arm64.tar.zst`; nil for anything else.
    init?(_ asset: String, of operatingSystem: OperatingSystem) {
      let prefix = "\(operatingSystem.rawValue)-"
      guard let suffix = [".qcow2", ".tar.zst"].first(where: { asset.hasSuffix($0) }),
        asset.hasPrefix(prefix)
      else { return nil }
      let rest = asset.dropFirst(prefix.count).dropLast(suffix.count)
      guard
        let architecture = Architecture.allCases.first(where: { rest.hasSuffix("-\($0.rawValue)") })
      else { return nil }
      version = String(rest.dropLast(architecture.rawValue.count + 1))
      self.architecture = architecture
      if version.isEmpty { return nil }
    }
  }
}
