/// Where everything lies: paths only, nothing is read or created here but by ``prepare()``.
package struct Cache: Sendable, Hashable {
  /// The absolute path of the cache folder, without a slash at its end.
  package let path: String
  /// The home folder that it is in; nil where the user chose another place.
  private let home: String?
  /// The folder that the user's programs keep their caches in, where that is why it is there.
  private let place: String?

  package init(path: String) { self.init(path: path, home: nil, place: nil) }

  private init(path: String, home: String?, place: String?) {
    self.path = path
    self.home = home
    self.place = place
  }

  /// The cache that the environment asks for: `QVM_CACHE`, else `$XDG_CACHE_HOME/qvm`, else
  /// `~/.cache/qvm`. A relative `QVM_CACHE` is below the folder that this process was started in.
  ///
  /// - Throws: ``CacheError`` where none of them is set, or the one that is can't be a path here.
  package static func fromEnvironment() throws(CacheError) -> Cache {
    for name in ["QVM_CACHE", "XDG_CACHE_HOME", "HOME"] where Host.isGarbled(name) {
      throw .notUTF8(variable: name)
    }
    if let path = Host.environmentPath("QVM_CACHE") {
      if path.hasPrefix("/") { return Cache(path: trimmed(path)) }
      // Nobody means a folder of that name.
      if path == "~" || path.hasPrefix("~/") { throw .tildeWithoutHome(path) }
      guard let folder = Host.workingFolder else { throw .relative(path) }
      return Cache(path: trimmed("\(folder)/\(path)"))
    }
    // The XDG specification wants relative paths ignored.
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

  /// QEMU and its firmware for one target: what the drivers call `$QVM_CACHE`.
  package func toolchain(_ target: String) -> String { "\(path)/qemu/\(target)" }

  /// The firmware of a system QEMU under the names that the drivers use.
  package func systemFirmware(_ target: String) -> String { "\(path)/qemu/system-\(target)" }

  package var imageTools: String { "\(path)/qemu/img" }
  /// Where a base image is that an instance of this cache was created over.
  ///
  /// The cache may have been moved or copied since: then the one in it is meant, which nobody else
  /// removes, and not the one at the old place.
  ///
  /// - Parameter recorded: The absolute path that the image had then.
  /// - Returns: An absolute path; nothing need be there.
  func place(ofImage recorded: String) -> String {
    let folder = Files.parent(of: recorded)
    guard Files.lastName(of: Files.parent(of: folder)) == "images" else { return recorded }
    let own = "\(images)/\(Files.lastName(of: folder))/\(Files.lastName(of: recorded))"
    return !Files.exists(own) && Files.exists(recorded) ? recorded : own
  }

  package var images: String { "\(path)/images" }
  package var instances: String { "\(path)/instances" }
  package var downloads: String { "\(path)/downloads" }

  /// Whether the cache is this user's own; one that isn't there is nobody's.
  package var isOwn: Bool { Files.destination(path)?.owner == Host.userID }

  /// Makes sure that nobody else's cache is changed.
  ///
  /// - Throws: ``FileError`` where it is there and belongs to somebody else: what this user, root
  ///   included, left in it could not be managed by its owner.
  package func requireOwn() throws(FileError) {
    guard let found = Files.destination(path), found.owner != Host.userID else { return }
    throw FileError(verb: "use", path: path, cause: .notOwned)
  }

  /// Makes sure that root makes no cache in somebody else's home, as under a `sudo` that keeps HOME:
  /// its owner could not use it afterwards. One that was named with `QVM_CACHE` may be anywhere. An
  /// owner without an account here is nobody who could: so it is where a container's home comes from
  /// outside.
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

  /// Makes sure that the cache is there and belongs to this user.
  ///
  /// It may be a link that the user made, to another disk; nothing in it may.
  ///
  /// - Throws: ``FileError`` where it can't be written, or belongs to somebody else; ``CacheError``
  ///   where even the user's home is missing.
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

/// A cache folder that can't be told.
package enum CacheError: UserFacingError, Hashable {
  case noHome
  /// A path below the home, where that isn't known.
  case tildeWithoutHome(String)
  case relative(String)
  case noHomeFolder(String)
  case notUTF8(variable: String)
  /// Root would make a cache in a folder of another user's.
  case foreignHome(String)

  package var message: String {
    switch self {
    case .noHome: "no cache folder: neither QVM_CACHE, XDG_CACHE_HOME nor HOME is set"
    case .tildeWithoutHome(let path): "QVM_CACHE=\(path) is in the home, and HOME is not set"
    case .relative(let path):
      "QVM_CACHE=\(path) is relative, and the current folder cannot be told"
    case .noHomeFolder(let path): "no cache folder: the home folder \(path) does not exist"
    case .notUTF8(let variable): "the path in \(variable) is not UTF-8"
    case .foreignHome(let folder):
      "this runs as root, and \(folder) belongs to another user, who could not use what root makes"
        + " there"
    }
  }

  package var advice: String? {
    switch self {
    case .foreignHome:
      "Leave sudo out, which qvm doesn't need; or use 'sudo -H', or set QVM_CACHE to a folder of"
        + " root's."
    default: "Set QVM_CACHE to an absolute path."
    }
  }
}
