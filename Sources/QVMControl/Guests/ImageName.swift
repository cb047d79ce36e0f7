/// The parts of a base image's name, such as `freebsd-14.2-x86-64`.
package struct ImageName: Sendable, Hashable {
  package let version: String
  package let architecture: Architecture

  init(_ version: String, _ architecture: Architecture) {
    self.version = version
    self.architecture = architecture
  }

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

extension Target {
  /// The target of the base image with a name such as `freebsd-14.2-x86-64`; nil for any other
  /// name.
  package init?(imageName name: String) {
    guard let dash = name.firstIndex(of: "-"),
      let system = OperatingSystem(word: String(name[..<dash])),
      let read = ImageName("\(name).qcow2", of: system),
      let target = try? Target(
        operatingSystem: system.rawValue, version: read.version,
        platform: read.architecture.rawValue, host: Host.architecture)
    else { return nil }
    self = target
  }

  /// The command that downloads the base image at a path again, from the same release; nil if the
  /// path is not that of a base image.
  package static func pullCommand(for path: String) -> String? {
    let name = Files.lastName(of: path)
    let tag = String(Files.lastName(of: Files.parent(of: path)))
    guard name.hasSuffix(".qcow2"), PlainName.isValid(tag),
      let target = Target(imageName: String(name.dropLast(".qcow2".count)))
    else { return nil }
    return "qvm pull --release \(tag) --platform \(target.architecture.rawValue) "
      + "\(target.operatingSystem.rawValue) \(target.version)"
  }
}
