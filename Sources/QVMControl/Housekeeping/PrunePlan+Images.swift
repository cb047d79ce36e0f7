/// Unused base images, and stray files beside them.
extension PrunePlan {
  static func images(in cache: Cache, _ users: ImageUsers) -> [Item] {
    guard users.unknown.isEmpty else { return [] }
    return BaseImage.list(in: cache).filter { users.of($0.path).isEmpty }.compactMap { item($0) }
  }

  /// Records without an image, temporary files of records, and empty folders.
  ///
  /// The record of a missing image that an instance needs is kept, because it says what to download
  /// again.
  static func strays(in cache: Cache, _ users: ImageUsers) -> [Item] {
    Files.list(cache.images).flatMap { tag -> [Item] in
      let folder = "\(cache.images)/\(tag)"
      guard !tag.hasPrefix("."), Files.information(folder)?.kind == .folder else { return [] }
      let names = Files.list(folder)
      if names.isEmpty { return [Item(.record, tag, path: folder, size: 0)] }
      return names.compactMap { name in
        let path = "\(folder)/\(name)"
        guard isStray(path, users), let found = Files.information(path) else { return nil }
        return Item(.record, "\(tag)/\(name)", path: path, size: found.allocated)
      }
    }
  }

  private static func isStray(_ path: String, _ users: ImageUsers) -> Bool {
    let name = Files.lastName(of: path)
    // A temporary file of `Files.write`.
    if name.hasPrefix("."), name.hasSuffix(".new") { return true }
    guard name.hasSuffix(".json"), !name.hasPrefix(".") else { return false }
    let image = "\(path.dropLast(".json".count)).qcow2"
    return !Files.exists(image) && users.of(image).isEmpty && users.unknown.isEmpty
  }

  // MARK: - Removing

  func removeImage(_ item: Item) throws -> Removal {
    let name = item.name.prefix { $0 != "@" }
    // All processes take these locks in this order: the download's lock, then the images' lock.
    let path = "\(cache.downloads)/\(Self.downloadLock(String(name), path: item.path)).lock"
    try Files.makeFolder(cache.downloads)
    guard let downloading = try FileLock.attempt(path) else { return .kept }
    defer {
      try? Files.remove(path)
      downloading.release()
    }
    let lock = try ImagesLock.alone(in: cache)
    defer { lock.release() }
    guard let found = Files.information(item.path) else { return .gone }
    let users = try ImageUsers(in: cache)
    guard FileStamp(found) == item.stamp, users.of(item.path).isEmpty, users.unknown.isEmpty else {
      return .kept
    }
    try Files.remove(item.path)
    try Files.remove(BaseImage.recordPath(item.path))
    try removeIfEmpty(Files.parent(of: item.path))
    return .removed
  }

  /// The name of the lock for making an image. The demo guest's image isn't downloaded, so its lock
  /// has another name.
  private static func downloadLock(_ name: String, path: String) -> String {
    let tag = Files.lastName(of: Files.parent(of: path))
    return tag == BaseImage.builtinTag ? name : "\(name).qcow2"
  }

  func removeStray(_ item: Item) throws -> Removal {
    let lock = try ImagesLock.alone(in: cache)
    defer { lock.release() }
    guard let found = Files.information(item.path) else { return .gone }
    if found.kind == .folder {
      return try removeIfEmpty(item.path) ? .removed : .kept
    }
    guard Self.isStray(item.path, try ImageUsers(in: cache)) else { return .kept }
    try Files.remove(item.path)
    try removeIfEmpty(Files.parent(of: item.path))
    return .removed
  }

  /// Removes an empty folder of a release. The images' lock must be held.
  @discardableResult
  private func removeIfEmpty(_ folder: String) throws(FileError) -> Bool {
    guard try Files.contents(of: folder).isEmpty else { return false }
    try Files.removeTree(folder)
    return true
  }
}
