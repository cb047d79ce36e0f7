/// A base image that can't be had or must not be used.
package enum ImageError: QVMFailure, Hashable {
  /// `available` are the base images that exist for the operating system.
  case noSuchVersion(Target, available: [BaseImage.Available], page: String)
  /// The only form of an image that there is can't be unpacked without zstd.
  case zstdMissing(name: String, tag: String)
  case unusable(name: String, Qcow2Header.Problem)
  /// `why` is qemu-img's own words.
  case corrupt(name: String, why: String)
  /// An image in the cache that has changed since it was put there.
  case damaged(path: String, size: Int, expected: Int)

  package var message: String {
    switch self {
    case .noSuchVersion(let target, _, let page):
      "no release on \(page) has \(target.operatingSystem.displayName) \(target.version) "
        + "for \(target.architecture.rawValue)"
    case .zstdMissing(let name, let tag):
      "\(name) of \(tag) is a bundle, and zstd, which unpacks it, is not installed"
    case .unusable(let name, let problem): "\(name) \(problem.description)"
    case .corrupt(let name, let why): "\(name) is a corrupt image: \(why)"
    case .damaged(let path, let size, let expected):
      "the base image \(path) has \(size) bytes instead of \(expected)"
    }
  }

  package var advice: String? {
    switch self {
    case .noSuchVersion(let target, let available, let page):
      Self.advice(target, available) ?? "See \(page) for what there is."
    case .zstdMissing: PackageManager.advice(for: .zstd)
    case .unusable(_, .notQcow2):
      "Check QVM_BASE_URL, and whether a network log-in page is in the way."
    case .unusable: "This release can't be used; try another version."
    case .corrupt: "Run the same command again to download it anew."
    case .damaged(let path, _, _): "Remove it with 'rm -f \(path)' and pull it again."
    }
  }

  private static func advice(_ target: Target, _ available: [BaseImage.Available]) -> String? {
    let parts = target.operatingSystem.architectures.compactMap { architecture -> String? in
      let versions = available.filter { $0.architecture == architecture }.map(\.version)
      return versions.isEmpty
        ? nil : "\(versions.joined(separator: ", ")) for \(architecture.rawValue)"
    }
    return parts.isEmpty ? nil : "Use one of \(parts.joined(separator: "; "))."
  }
}
