/// A base image that is not available or must not be used.
package enum ImageError: UserFacingError, Hashable {
  /// `available` are the base images that exist for the operating system.
  case noSuchVersion(Target, available: [ImageName], page: String)
  /// The image exists only as a bundle, which needs zstd.
  case zstdMissing(name: String, tag: String)
  case unusable(name: String, Qcow2Header.Problem)
  /// `why` is qemu-img's own message.
  case corrupt(name: String, why: String)
  /// The built-in guest's image cannot be created; `why` is qemu-img's own message.
  case cannotConvert(path: String, why: String)
  /// An image in the cache that is no longer the one that was put there.
  case changed(path: String, Change)
  /// The release now has another file than the one that the instances `users` were created from.
  case republished(name: String, tag: String, found: String?, expected: String, users: [String])
  /// Its digest differs from the one that its release has named since the download.
  case notAsReleased(path: String, tag: String, found: String, expected: String)
  /// Other commands hold the lock on the images.
  case busy(folder: String)

  package enum Change: Sendable, Hashable {
    case gone
    /// In bytes.
    case size(Int, expected: Int)
    case content
    /// It is not the image that the instance was created from.
    case replaced
  }

  package var message: String {
    switch self {
    case .noSuchVersion(let target, _, let page):
      "no release on \(page) has \(target.operatingSystem.displayName) \(target.version) "
        + "for \(target.architecture.rawValue)"
    case .zstdMissing(let name, let tag):
      "zstd, which is needed to unpack \(name) of \(tag), is not installed"
    case .unusable(let name, let problem): "\(name) \(problem.description)"
    case .corrupt(let name, let why): "\(name) is a corrupt image: \(why)"
    case .cannotConvert(let path, let why): "cannot create the base image \(path): \(why)"
    case .changed(let path, .gone): "the base image \(path) is gone"
    case .changed(let path, .size(let size, let expected)):
      "the base image \(path) has \(size) bytes instead of \(expected)"
    case .changed(let path, .content):
      "the base image \(path) has changed since it was fetched"
    case .changed(let path, .replaced):
      "the base image \(path) is not the one that the instance was created from"
    case .republished(let name, let tag, let found, let expected, let users):
      "the release \(tag) now has another \(name) (SHA-256 \(found ?? "unknown") instead of "
        + "\(expected)), which \(users.joined(separator: ", ")) cannot use"
    case .notAsReleased(let path, let tag, let found, let expected):
      "the base image \(path) has the SHA-256 \(found), but the release \(tag) says \(expected)"
    case .busy(let folder): "other commands are using the base images in \(folder)"
    }
  }

  package var advice: String? {
    switch self {
    case .noSuchVersion(let target, let available, let page):
      Self.advice(target, available) ?? "See \(page) for the available files."
    case .zstdMissing: PackageManager.advice(for: .zstd)
    case .unusable(_, .notQcow2):
      "Check QVM_BASE_URL, and whether this network shows a login page first."
    case .unusable: "This image cannot be used. Try another version."
    case .cannotConvert: "Check the free space there, or set QVM_CACHE to a folder on another disk."
    case .corrupt: "Run the same command again to download it again."
    case .notAsReleased(let path, _, _, _):
      Target.pullCommand(for: path).map { "Download the file of the release with '\($0)'." }
    case .changed(let path, _):
      Target.pullCommand(for: path).map { "Download the same image again with '\($0)'." }
    case .republished(_, _, _, _, let users):
      "Restore a copy of the old file, or remove the instances with "
        + "'qvm rm \(users.joined(separator: " "))' and run the command again."
    case .busy: "Try again when they have finished."
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
