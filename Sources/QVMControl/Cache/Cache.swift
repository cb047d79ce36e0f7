/// Where everything lies: paths only, nothing is read or created here but by ``prepare()``.
package struct Cache: Sendable, Hashable {
  /// The absolute path of the cache folder, without a slash at its end.
  package let path: String

  package init(path: String) { self.path = path }

  /// The cache that the environment asks for: `QVM_CACHE`, else `$XDG_CACHE_HOME/qvm`, else
  /// `~/.cache/qvm`.
  ///
  /// - Throws: ``CacheError`` where none of them is set.
  package static func fromEnvironment() throws(CacheError) -> Cache {
    if let path = Host.environment("QVM_CACHE") {
      if path.hasPrefix("/") { return Cache(path: trimmed(path)) }
      guard let folder = Host.workingFolder else { throw .relative(path) }
      return Cache(path: trimmed("\(folder)/\(path)"))
    }
    // The XDG specification wants relative paths ignored.
    if let path = Host.environment("XDG_CACHE_HOME"), path.hasPrefix("/") {
      return Cache(path: trimmed(path) + "/qvm")
    }
    guard let home = Host.environment("HOME"), home.hasPrefix("/") else { throw .noHome }
    return Cache(path: trimmed(home) + "/.cache/qvm")
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
  package var images: String { "\(path)/images" }
  package var instances: String { "\(path)/instances" }
  package var downloads: String { "\(path)/downloads" }

  /// Makes sure that the cache is there and belongs to this user.
  ///
  /// - Throws: ``FileError`` where it can't be written, or belongs to somebody else: what this user
  ///   left in it could not be managed by its owner.
  package func prepare() throws(FileError) {
    try Files.makePrivateFolder(path)
    for folder in ["\(path)/qemu", images, instances, downloads] { try Files.makeFolder(folder) }
  }

  /// Whether nobody else than this user owns the cache: what is written into another's could not be
  /// managed by its owner any more. One that isn't there is nobody's.
  var isOwn: Bool { Files.information(path).map { $0.owner == Host.userID } ?? true }
}

/// A cache folder that can't be told.
package enum CacheError: QVMFailure, Hashable {
  case noHome
  case relative(String)

  package var message: String {
    switch self {
    case .noHome: "no cache folder: neither QVM_CACHE, XDG_CACHE_HOME nor HOME is set"
    case .relative(let path):
      "QVM_CACHE=\(path) is relative, and the current folder cannot be told"
    }
  }

  package var advice: String? { "Set QVM_CACHE to an absolute path." }
}
