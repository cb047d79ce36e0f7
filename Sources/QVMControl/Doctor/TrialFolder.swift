internal import QMPClient

/// A folder in the cache for what an examination tries, locked for as long as that lasts.
enum TrialFolder {
  private static let prefix = ".doctor-"

  private static func lock(of folder: String) -> String { "\(folder)/lock" }

  /// Makes a folder, and removes it when the body returns or throws.
  static func with<Value>(
    in cache: Cache, _ body: (String) async throws -> Value
  ) async throws -> Value {
    let isNew = !Files.exists(cache.path)
    let place = Files.resolved(cache.path) ?? cache.path
    // One that is there stays as it is, its mode too.
    if isNew { try Files.makePrivateFolder(place) }
    for old in leftovers(in: cache) { try? Files.removeTree(old) }
    let folder = "\(place)/\(prefix)\(Randomness.hexadecimal(bytes: 4))"
    defer {
      try? Files.removeTree(folder)
      if isNew { Files.removeEmptyFolder(place) }
    }
    try Files.makePrivateFolder(folder)
    let held = try FileLock.attempt(lock(of: folder))
    defer { held?.release() }
    return try await body(folder)
  }

  /// How long after its making a folder may be without its lock, in seconds.
  private static let making = 60

  /// The paths of folders that examinations that were killed have left.
  static func leftovers(in cache: Cache) -> [String] {
    Files.list(cache.path).filter { $0.hasPrefix(prefix) }.map { "\(cache.path)/\($0)" }.filter {
      guard let found = Files.information($0), found.kind == .folder else { return false }
      if Files.exists(lock(of: $0)) { return !FileLock.isHeld(lock(of: $0)) }
      return Timestamp.now.seconds - found.modified > making
    }
  }
}
