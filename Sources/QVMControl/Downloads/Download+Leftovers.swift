extension Download {
  /// Where to unpack the file.
  var unpacked: String { "\(stem).unpacked" }

  /// Where what is in place of the unpacked file waits until that has taken it.
  var setAside: String { "\(unpacked).old" }

  /// What somebody set aside who was killed before the place was taken again; nil where there is
  /// nothing. Whole, since what isn't needed any more is renamed before it is removed.
  static func setAside(_ name: String, in cache: Cache) -> String? {
    let entry = Files.list(cache.downloads).last {
      $0.hasPrefix("\(name)@") && $0.hasSuffix(".unpacked.old")
    }
    return entry.map { "\(cache.downloads)/\($0)" }
  }

  /// Removes what is left of this and every other download of the same file, when it is in its
  /// place.
  func clean() {
    let name = Files.lastName(of: stem).split(separator: "@").first ?? ""
    Self.clean(String(name), upTo: asset.tag, in: client.cache)
  }

  /// Removes what downloads of a file have left; with a tag only what belongs to that release or an
  /// older one.
  private static func clean(_ name: String, upTo tag: String? = nil, in cache: Cache) {
    for entry in Files.list(cache.downloads) where Self.name(of: entry) == name {
      if entry.hasSuffix(".lock") { continue }
      if let tag, VersionOrder.precedes(tag, Self.tag(of: entry)) { continue }
      try? Files.removeTree("\(cache.downloads)/\(entry)")
    }
  }

  /// Removes what whoever downloaded a file has left when it was killed with the file in its place
  /// already. The lock is there as long as anything else is. What there is of a newer release than
  /// the one in place is left for who asks for that.
  static func cleanAfterKill(_ name: String, upTo tag: String, in cache: Cache) {
    guard Files.exists("\(cache.downloads)/\(name).lock") else { return }
    _ = try? removeLeftovers(of: name, upTo: tag, in: cache)
  }

  /// What an entry of the downloads belongs to: `NAME@TAG.…`, the same with a dot before it while
  /// it is written, and `NAME.lock` as `once` makes it.
  private static func name(of entry: String) -> String {
    let visible = entry.drop { $0 == "." }
    let name = visible.prefix { $0 != "@" }
    return String(
      name.hasSuffix(".lock") && name == visible ? name.dropLast(".lock".count) : name)
  }

  /// The release that an entry `NAME@TAG.…` belongs to.
  private static func tag(of entry: String) -> String {
    let parts = entry.drop { $0 != "@" }.dropFirst().split(
      separator: ".", omittingEmptySubsequences: false)
    // Tags have dots too.
    return parts.prefix { !extensions.contains(String($0)) }.joined(separator: ".")
  }

  private static let extensions = ["partial", "unpacked", "raw", "qcow2"]

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

  /// Removes what interrupted downloads of one file have left, with a tag only as far as that
  /// release; false where somebody is at it.
  static func removeLeftovers(
    of name: String, upTo tag: String? = nil, in cache: Cache
  ) throws(FileError) -> Bool {
    let path = "\(cache.downloads)/\(name).lock"
    guard let lock = try FileLock.attempt(path) else { return false }
    defer { lock.release() }
    clean(name, upTo: tag, in: cache)
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
