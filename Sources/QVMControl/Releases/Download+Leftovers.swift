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
    for entry in Files.list(cache.downloads) {
      // With a dot before it: a note that was being written.
      guard entry.hasPrefix("\(name)@") || entry.hasPrefix(".\(name)@") else { continue }
      try? Files.removeTree("\(cache.downloads)/\(entry)")
    }
  }

  /// Removes what whoever downloaded a file has left when it was killed with the file in its place
  /// already. The lock is there as long as anything else is.
  static func cleanAfterKill(_ name: String, in cache: Cache) {
    let path = "\(cache.downloads)/\(name).lock"
    guard Files.exists(path), let lock = try? FileLock.attempt(path) else { return }
    clean(name, in: cache)
    try? Files.remove(path)
    lock.release()
  }

  /// Removes what interrupted downloads have left, unless somebody is at it.
  package static func prune(in cache: Cache) {
    let names = Files.list(cache.downloads).map { entry in
      // `NAME@TAG.…`, the same with a dot before it, and `NAME.lock` as `once` makes it.
      entry.split(separator: "@").first.map { part in
        let part = part.hasPrefix(".") ? part.dropFirst() : part
        return String(part.hasSuffix(".lock") ? part.dropLast(".lock".count) : part)
      }
    }
    for case let name? in Set(names) {
      let path = "\(cache.downloads)/\(name).lock"
      guard let lock = try? FileLock.attempt(path) else { continue }
      clean(name, in: cache)
      try? Files.remove(path)
      lock.release()
    }
  }
}
