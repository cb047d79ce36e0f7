/// The paths in the cache. Only ``prepare()`` creates anything.
package struct Cache: Sendable, Hashable {
  /// The absolute path of the cache folder, without a slash at its end.
  package let path: String
  /// The home folder that contains it; nil if the user chose another place.
  private let home: String?
  /// The home or `$XDG_CACHE_HOME` from which the path was derived; nil with `QVM_CACHE`.
  private let place: String?

  package init(path: String) { self.init(path: path, home: nil, place: nil) }

  private init(path: String, home: String?, place: String?) {
    self.path = path
    self.home = home
    self.place = place
  }

  /// The cache that the environment names: `QVM_CACHE`, else `$XDG_CACHE_HOME/qvm`, else
  /// `~/.cache/qvm`. A relative `QVM_CACHE` is relative to the working folder.
  ///
  /// - Throws: ``CacheError`` if none of them is set, or the value is not a usable path.
  package static func fromEnvironment() throws(CacheError) -> Cache {
    for name in ["QVM_CACHE", "XDG_CACHE_HOME", "HOME"] where Host.isGarbled(name) {
      throw .notUTF8(variable: name)
    }
    if let path = Host.environmentPath("QVM_CACHE") {
      if path.hasPrefix("/") { return Cache(path: trimmed(path)) }
      // Not a folder named `~`: without HOME the home is unknown.
      if path == "~" || path.hasPrefix("~/") { throw .tildeWithoutHome(path) }
      guard let folder = Host.workingFolder else { throw .relative(path) }
      return Cache(path: trimmed("\(folder)/\(path)"))
    }
    // The XDG specification says that relative paths are ignored.
    if let path = Host.environmentPath("XDG_CACHE_HOME"), path.hasPrefix("/") {
      return Cache(path: trimmed(path) + "/qvm", home: nil, place: trimmed(path))
    }
    guard let home = Host.environment("HOME"), home.hasPrefix("/") else { throw .noHome }
    return Cache(path: trimmed(home) + "/.cache/qvm", home: trimmed(home), place: trimmed(home))
  }

  private static func trimmed(_ path: String) -> String {
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    return path
  }

  /// The folder of QEMU and its firmware for one target, which the drivers call `$QVM_CACHE`.
  package func toolchain(_ target: String) -> String { "\(path)/qemu/\(target)" }

  /// The folder of a system QEMU's firmware, under the file names that the drivers use.
  package func systemFirmware(_ target: String) -> String { "\(path)/qemu/system-\(target)" }

  package var imageTools: String { "\(path)/qemu/img" }
  /// Where the base image of an instance of this cache is now.
  ///
  /// The cache may have been moved or copied since. Then this cache's own image is used, not the
  /// one at the old place, which another user of that cache might remove.
  ///
  /// - Parameter recorded: The absolute path that the image had when the instance was created.
  /// - Returns: An absolute path. The file may be missing.
  func place(ofImage recorded: String) -> String {
    let folder = Files.parent(of: recorded)
    guard Files.lastName(of: Files.parent(of: folder)) == "images" else { return recorded }
    let own = "\(images)/\(Files.lastName(of: folder))/\(Files.lastName(of: recorded))"
    return !Files.exists(own) && Files.exists(recorded) ? recorded : own
  }

  package var images: String { "\(path)/images" }
  package var instances: String { "\(path)/instances" }
  package var downloads: String { "\(path)/downloads" }
  /// The folder of the pair of ssh keys with which qvm logs in to guests.
  package var keys: String { "\(path)/\(Self.keysName)" }
  static let keysName = "keys"

  /// Whether the cache exists and belongs to this user.
  package var isOwn: Bool { Files.destination(path)?.owner == Host.userID }

  /// Refuses a cache of another user's.
  ///
  /// - Throws: ``FileError`` if it exists and belongs to another user. Its owner could not manage
  ///   what this user, root included, left in it.
  package func requireOwn() throws(FileError) {
    guard let found = Files.destination(path), found.owner != Host.userID else { return }
    throw FileError(verb: "use", path: path, cause: .notOwned)
  }

  /// Refuses a new cache of root's in another user's home, as under a `sudo` that keeps HOME. The
  /// home's owner could not use that cache afterwards. A cache that `QVM_CACHE` names may be
  /// anywhere. An owner without an account on this system is ignored, as in a container whose home
  /// is mounted from outside.
  ///
  /// - Throws: `foreignHome`.
  package func requireOwnHome() throws(CacheError) {
    guard Host.userID == 0, let place, !Files.exists(path) else { return }
    var parents = [Files.parent(of: path)]
    while let last = parents.last, last.count > place.count {
      parents.append(Files.parent(of: last))
    }
    for folder in parents {
      if let found = Files.destination(folder), found.owner != Host.userID,
        Host.hasAccount(found.owner)
      {
        throw .foreignHome(folder)
      }
    }
  }

  /// Creates the cache's folders. The cache must belong to this user.
  ///
  /// The cache may be a link of the user's, to another disk. Its contents may not.
  ///
  /// - Throws: ``FileError`` if it can't be written, or belongs to another user; ``CacheError`` if
  ///   the user's home is missing.
  package func prepare() throws {
    if let home, !Files.exists(home) { throw CacheError.noHomeFolder(home) }
    try requireOwnHome()
    let isOwnLink = Files.information(path).map { $0.kind == .link && $0.owner == Host.userID }
    let real = isOwnLink == true ? Files.resolved(path) ?? path : path
    try Files.makePrivateFolder(real)
    for folder in ["\(path)/qemu", images, instances, downloads] {
      try Files.makePrivateFolder(folder)
    }
  }
}

/// A cache folder that cannot be used.
package enum CacheError: UserFacingError, Hashable {
  case noHome
  /// A path that begins with `~`, although HOME is not set.
  case tildeWithoutHome(String)
  case relative(String)
  case noHomeFolder(String)
  case notUTF8(variable: String)
  /// Root would create a cache in a folder of another user.
  case foreignHome(String)

  package var message: String {
    switch self {
    case .noHome: "there is no cache folder: QVM_CACHE, XDG_CACHE_HOME and HOME are not set"
    case .tildeWithoutHome(let path): "QVM_CACHE=\(path) begins with ~, but HOME is not set"
    case .relative(let path):
      "QVM_CACHE=\(path) is a relative path, but the current folder is unknown"
    case .noHomeFolder(let path): "there is no cache folder: the home folder \(path) does not exist"
    case .notUTF8(let variable): "the path in \(variable) is not UTF-8"
    case .foreignHome(let folder):
      "qvm runs as root, but \(folder) belongs to another user, who could not use the files that root"
        + " would create there"
    }
  }

  package var advice: String? {
    switch self {
    case .foreignHome:
      "Run qvm without sudo, use 'sudo -H', or set QVM_CACHE to a folder that root owns."
    default: "Set QVM_CACHE to an absolute path."
    }
  }
}
