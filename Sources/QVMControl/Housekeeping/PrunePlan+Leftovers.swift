internal import QMPClient

/// What killed commands and VMs have left outside the folder of images.
extension PrunePlan {
  static func downloads(in cache: Cache) -> [Item] {
    DownloadLeftovers.all(in: cache).map {
      Item(.download, $0.name, path: cache.downloads, size: $0.size)
    }
  }

  // MARK: - Instances

  static func instances(in cache: Cache) -> [Item] {
    InstanceStore(cache).leftovers.map {
      Item(.instance, String(Files.lastName(of: $0)), path: $0, size: Files.allocated(below: $0))
    }
  }

  func removeInstance(_ item: Item) throws -> Removal {
    guard Files.exists(item.path) else { return .gone }
    // Its name is unique, so it is still the same folder.
    guard InstanceStore(cache).leftovers.contains(item.path) else { return .kept }
    try Files.removeTree(item.path)
    return .removed
  }

  // MARK: - Examinations

  static func trials(in cache: Cache) -> [Item] {
    TrialFolder.leftovers(in: cache).map {
      Item(.trial, String(Files.lastName(of: $0)), path: $0, size: Files.allocated(below: $0))
    }
  }

  func removeTrial(_ item: Item) throws -> Removal {
    guard Files.exists(item.path) else { return .gone }
    guard TrialFolder.leftovers(in: cache).contains(item.path) else { return .kept }
    try TrialFolder.remove(item.path)
    return .removed
  }

  // MARK: - Keys

  static func keys(in cache: Cache) -> [Item] {
    SSHKeyPair.leftovers(in: cache).map {
      Item(.keys, String(Files.lastName(of: $0)), path: $0, size: Files.allocated(below: $0))
    }
  }

  func removeKeys(_ item: Item) throws -> Removal {
    guard Files.exists(item.path) else { return .gone }
    guard SSHKeyPair.leftovers(in: cache).contains(item.path) else { return .kept }
    try Files.removeTree(item.path)
    return .removed
  }

  // MARK: - Runtime folders

  /// How long a folder must be unchanged, in seconds. A newer one may belong to a VM that is
  /// starting.
  private static let quiet = 60

  /// Folders of sockets without a listener, and links to instances that are gone, of all caches.
  static func runtimeFolders() -> [Item] {
    RuntimeFolder.parents.flatMap { parent -> [Item] in
      guard let found = Files.information(parent), found.kind == .folder,
        found.owner == Host.userID
      else { return [] }
      return Files.list(parent).compactMap { name in
        let path = "\(parent)/\(name)"
        guard isAbandoned(path) else { return nil }
        return Item(.runtime, name, path: path, size: Files.allocated(below: path))
      }
    }
  }

  private static func isAbandoned(_ path: String) -> Bool {
    guard let found = Files.information(path), found.owner == Host.userID,
      Timestamp.now.seconds - found.modified > quiet
    else { return false }
    // Only dangling links. A process that needs another one would make it again, and it takes no
    // space.
    if found.kind == .link { return Files.destination(path) == nil }
    guard found.kind == .folder else { return false }
    let folder = RuntimeFolder(path: path)
    let sockets = folder.sockets
    // Only folders with nothing but qvm's own files.
    guard
      Files.list(path).allSatisfy({
        RuntimeFolder.isOwn($0) || Files.linkTarget("\(path)/\($0)") == "."
      })
    else { return false }
    return !sockets.contains { SocketCalls.isListening($0) }
  }

  func removeRuntimeFolder(_ item: Item) throws -> Removal {
    guard Files.exists(item.path) else { return .gone }
    guard Self.isAbandoned(item.path) else { return .kept }
    if Files.information(item.path)?.kind == .link {
      try Files.remove(item.path)
    } else {
      RuntimeFolder(path: item.path).remove()
    }
    return Files.exists(item.path) ? .kept : .removed
  }
}
