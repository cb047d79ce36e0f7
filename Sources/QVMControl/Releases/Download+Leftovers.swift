extension Download {
  /// Where to unpack the file.
  var unpacked: String { "\(stem).unpacked" }

  /// Removes what is left of this and every other download of the same file, when it is in its
  /// place.
  func clean() {
    let name = Files.lastName(of: stem).split(separator: "@").first ?? ""
    Self.clean(String(name), in: client.cache)
  }

  private static func clean(_ name: String, in cache: Cache) {
    for entry in Files.list(cache.downloads) where Self.name(of: entry) == name {
      if entry.hasSuffix(".lock") { continue }
      try? Files.removeTree("\(cache.downloads)/\(entry)")
    }
  }

  /// Removes what whoever downloaded a file has left when it was killed with the file in its place
  /// already. The lock is there as long as anything else is.
  static func cleanAfterKill(_ name: String, in cache: Cache) {
    guard Files.exists("\(cache.downloads)/\(name).lock") else { return }
    _ = try? removeLeftovers(of: name, in: cache)
  }

  /// What an entry of the downloads belongs to: `NAME@TAG.…`, the same with a dot before it while
  /// it is written, and `NAME.lock` as `once` makes it.
  private static func name(of entry: String) -> String {
    let visible = entry.drop { $0 == "." }
    let name = visible.prefix { $0 != "@" }
    return String(
      name.hasSuffix(".lock") && name == visible ? name.dropLast(".lock".count) : name)
  }

  /// What interrupted downloads have left and nobody is at.
  struct Leftover: Sendable, Hashable {
    let name: String
    /// What it takes on the disk, in bytes.
    let size: Int
  }

  static func leftovers(in cache: Cache) -> [Leftover] {
    let entries = Dictionary(grouping: Files.list(cache.downloads), by: name(of:))
    return entries.sorted { $0.key < $1.key }.compactMap { name, entries in
      if FileLock.isHeld("\(cache.downloads)/\(name).lock") { return nil }
      let size = entries.reduce(0) { $0 + Files.allocated(below: "\(cache.downloads)/\($1)") }
      return Leftover(name: name, size: size)
    }
  }

  /// Removes what interrupted downloads of one file have left; false where somebody is at it.
  static func removeLeftovers(of name: String, in cache: Cache) throws(FileError) -> Bool {
    let path = "\(cache.downloads)/\(name).lock"
    guard let lock = try FileLock.attempt(path) else { return false }
    defer { lock.release() }
    clean(name, in: cache)
    // While it is still held: whoever waits locks a new file.
    try Files.remove(path)
    return true
  }

  /// Removes what interrupted downloads have left, unless somebody is at it.
  package static func prune(in cache: Cache) {
    for leftover in leftovers(in: cache) {
      _ = try? removeLeftovers(of: leftover.name, in: cache)
    }
  }
}
