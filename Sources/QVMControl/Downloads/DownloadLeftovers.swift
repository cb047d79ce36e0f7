/// The files that downloads leave in the cache: of interrupted ones, and of a process that was killed
/// after it had installed its file.
enum DownloadLeftovers {
  /// The installed version that a killed process had set aside; nil if there is none. It is
  /// complete, because a version that isn't needed any more is renamed before it is removed.
  static func setAside(_ name: String, in cache: Cache) -> String? {
    let entry = Files.list(cache.downloads).last {
      $0.hasPrefix("\(name)@") && $0.hasSuffix(".unpacked.old")
    }
    return entry.map { "\(cache.downloads)/\($0)" }
  }

  /// Removes the files of downloads of a file; with a tag, only those of that release and older
  /// ones.
  static func clean(_ name: String, upTo tag: String? = nil, in cache: Cache) {
    for entry in Files.list(cache.downloads) where self.name(of: entry) == name {
      if entry.hasSuffix(".lock") { continue }
      if let tag, VersionOrder.precedes(tag, self.tag(of: entry)) { continue }
      try? Files.removeTree("\(cache.downloads)/\(entry)")
    }
  }

  /// Removes the files of a download whose process was killed after the file was installed. The
  /// lock's file exists as long as any other file does. Files of a newer release than the installed
  /// one stay, for a later request.
  static func cleanAfterKill(_ name: String, upTo tag: String, in cache: Cache) {
    guard Files.exists("\(cache.downloads)/\(name).lock") else { return }
    _ = try? remove(of: name, upTo: tag, in: cache)
  }

  /// The name of the file to which an entry of the downloads belongs: `NAME@TAG.…`, the same with a
  /// leading dot while it is written, or `NAME.lock` of `once`.
  private static func name(of entry: String) -> String {
    let visible = entry.drop { $0 == "." }
    let name = visible.prefix { $0 != "@" }
    return String(
      name.hasSuffix(".lock") && name == visible ? name.dropLast(".lock".count) : name)
  }

  /// The release to which an entry `NAME@TAG.…` belongs.
  private static func tag(of entry: String) -> String {
    let parts = entry.drop { $0 != "@" }.dropFirst().split(
      separator: ".", omittingEmptySubsequences: false)
    // Tags contain dots too.
    return parts.prefix { !extensions.contains(String($0)) }.joined(separator: ".")
  }

  private static let extensions = ["partial", "unpacked", "raw", "qcow2"]

  /// The files of an interrupted download that no process continues.
  struct Leftover: Sendable, Hashable {
    let name: String
    /// The space that they take on the disk, in bytes.
    let size: Int
  }

  static func all(in cache: Cache) -> [Leftover] {
    let entries = Dictionary(grouping: Files.list(cache.downloads), by: name(of:))
    return entries.sorted { $0.key < $1.key }.compactMap { name, entries in
      if FileLock.isHeld("\(cache.downloads)/\(name).lock") { return nil }
      let size = entries.reduce(0) { $0 + Files.allocated(below: "\(cache.downloads)/\($1)") }
      return Leftover(name: name, size: size)
    }
  }

  /// Removes the files of interrupted downloads of one file; with a tag, only up to that release.
  /// Returns false if another process is downloading it.
  static func remove(
    of name: String, upTo tag: String? = nil, in cache: Cache
  ) throws(FileError) -> Bool {
    let path = "\(cache.downloads)/\(name).lock"
    guard let lock = try FileLock.attempt(path) else { return false }
    defer { lock.release() }
    clean(name, upTo: tag, in: cache)
    // Remove it while it is held. A waiting process then locks a new file.
    try Files.remove(path)
    return true
  }
}
