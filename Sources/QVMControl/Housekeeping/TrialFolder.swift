internal import QMPClient

/// A temporary folder in the cache for the trials of `doctor`, locked while they run.
enum TrialFolder {
  private static let prefix = ".doctor-"
  /// The prefix before the folder is locked.
  private static let newPrefix = ".examining-"

  private static func lock(of folder: String) -> String { "\(folder)/lock" }

  /// Makes a folder, and removes it after the body.
  static func with<Value>(
    in cache: Cache, _ body: (String) async throws -> Value
  ) async throws -> Value {
    try cache.requireOwnHome()
    let isNew = !Files.exists(cache.path)
    let place = Files.resolved(cache.path) ?? cache.path
    // An existing cache stays unchanged, including its mode.
    if isNew { try Files.makePrivateFolder(place) }
    for old in leftovers(in: cache) { try? remove(old) }
    let suffix = Randomness.hexadecimal(bytes: 4)
    let (unlocked, folder) = ("\(place)/\(newPrefix)\(suffix)", "\(place)/\(prefix)\(suffix)")
    defer {
      for path in [unlocked, folder] { try? Files.removeTree(path) }
      if isNew { Files.removeEmptyFolder(place) }
    }
    try Files.makePrivateFolder(unlocked)
    // Lock it before it gets its final name. A folder of that name counts as left behind if its
    // lock is free.
    let held = try FileLock.attempt(lock(of: unlocked))
    defer { held?.release() }
    try Files.rename(unlocked, to: folder)
    return try await body(folder)
  }

  // MARK: - Leftovers

  /// How long a folder may exist without its lock, in seconds.
  private static let making = 60

  /// The paths of folders that a killed `doctor` has left.
  static func leftovers(in cache: Cache) -> [String] {
    Files.list(cache.path).compactMap { name in
      let path = "\(cache.path)/\(name)"
      guard let found = Files.information(path), found.kind == .folder else { return nil }
      if name.hasPrefix(prefix) { return FileLock.isHeld(lock(of: path)) ? nil : path }
      let isOld = Timestamp.now.seconds - found.modified > making
      return name.hasPrefix(newPrefix) && isOld ? path : nil
    }
  }

  /// Removes such a folder, and kills its QEMU.
  static func remove(_ folder: String) throws(FileError) {
    let words = Files.text(process(of: folder))?.split(separator: " ") ?? []
    if words.count == 2, let pid = Int32(words[0]), let start = UInt64(words[1]),
      Host.startTime(of: pid) == start
    {
      _ = Host.signal(.kill, to: pid)
    }
    try Files.removeTree(folder)
  }

  private static func process(of folder: String) -> String { "\(folder)/process" }

  /// Records a spawned QEMU, so that it can be killed later if `doctor` was killed.
  static func note(_ pid: Int32, in folder: String) {
    guard let start = Host.startTime(of: pid) else { return }
    try? Files.write(Array("\(pid) \(start)".utf8), to: process(of: folder))
  }
}
