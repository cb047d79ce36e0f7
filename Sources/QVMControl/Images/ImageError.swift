/// A base image that can't be had or must not be used.
package enum ImageError: UserFacingError, Hashable {
  /// `available` are the base images that exist for the operating system.
  case noSuchVersion(Target, available: [ImageName], page: String)
  /// The only form of an image that there is can't be unpacked without zstd.
  case zstdMissing(name: String, tag: String)
  case unusable(name: String, Qcow2Header.Problem)
  /// `why` is qemu-img's own words.
  case corrupt(name: String, why: String)
  /// The built-in guest's image can't be made; `why` is qemu-img's own words.
  case cannotConvert(path: String, why: String)
  /// An image in the cache that is not, or no longer, the one that was put there.
  case changed(path: String, Change)
  /// The release has another file by now than the one that the instances `users` stand on.
  case republished(name: String, tag: String, found: String?, expected: String, users: [String])
  /// Fetched when its release named no digest, it has another one than that names now.
  case notAsReleased(path: String, tag: String, found: String, expected: String)
  /// Others keep the lock on the images.
  case busy(folder: String)

  package enum Change: Sendable, Hashable {
    case gone
    /// In bytes.
    case size(Int, expected: Int)
    case content
    /// It is another one than the instance was created over.
    case replaced
  }

  package var message: String {
    switch self {
    case .noSuchVersion(let target, _, let page):
      "no release on \(page) has \(target.operatingSystem.displayName) \(target.version) "
        + "for \(target.architecture.rawValue)"
    case .zstdMissing(let name, let tag):
      "\(name) of \(tag) is a bundle, and zstd, which unpacks it, is not installed"
    case .unusable(let name, let problem): "\(name) \(problem.description)"
    case .corrupt(let name, let why): "\(name) is a corrupt image: \(why)"
    case .cannotConvert(let path, let why): "cannot make the base image \(path): \(why)"
    case .changed(let path, .gone): "the base image \(path) is gone"
    case .changed(let path, .size(let size, let expected)):
      "the base image \(path) has \(size) bytes instead of \(expected)"
    case .changed(let path, .content):
      "the base image \(path) has changed since it was fetched"
    case .changed(let path, .replaced):
      "the base image \(path) is another one than the instance was created over"
    case .republished(let name, let tag, let found, let expected, let users):
      "the release \(tag) has another \(name) by now (sha256 \(found ?? "unknown") instead of "
        + "\(expected)), and \(users.joined(separator: ", ")) cannot do with it"
    case .notAsReleased(let path, let tag, let found, let expected):
      "the base image \(path) has the SHA-256 \(found), but the release \(tag) says \(expected)"
    case .busy(let folder): "other commands are using the base images in \(folder)"
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
    case .cannotConvert: "Check the free space there; QVM_CACHE can name another disk."
    case .corrupt: "Run the same command again to download it anew."
    case .notAsReleased(let path, _, _, _):
      Target.pullCommand(for: path).map { "Fetch what is in the release with '\($0)'." }
    case .changed(let path, _):
      Target.pullCommand(for: path).map { "Fetch the same one again with '\($0)'." }
    case .republished(_, _, _, _, let users):
      "Put a copy of the old file back, or remove the instances with "
        + "'qvm rm \(users.joined(separator: " "))' and run the command again."
    case .busy: "Try again when they are done."
    }
  }

  private static func advice(_ target: Target, _ available: [ImageName]) -> String? {
    let parts = target.operatingSystem.architectures.compactMap { architecture -> String? in
      let versions = available.filter { $0.architecture == architecture }.map(\.version)
      return versions.isEmpty
        ? nil : "\(versions.joined(separator: ", ")) for \(architecture.rawValue)"
    }
    return parts.isEmpty ? nil : "Use one of \(parts.joined(separator: "; "))."
  }
}
