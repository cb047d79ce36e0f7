/// The outcome of a boot that the instance's own folder did not take, since its disk was full: kept
/// in the user's runtime folder until it does.
package enum KeptOutcome {
  /// The outcome of a boot; nil where none is kept.
  package static func read(boot token: String) -> Outcome? {
    for path in paths(token) where isOwn(path) && isOwn(Files.parent(of: path)) {
      if let outcome = try? Outcome.read(path), outcome.token == token { return outcome }
    }
    return nil
  }

  /// Keeps an outcome.
  ///
  /// - Throws: ``FileError``.
  package static func write(_ outcome: Outcome) throws(FileError) {
    try Files.makePrivateFolder(RuntimeFolder.parent)
    try JSONFile.write(outcome.json, to: "\(RuntimeFolder.parent)/\(name(outcome.token))")
  }

  /// Removes what is kept of a boot.
  static func remove(boot token: String) {
    for path in paths(token) where isOwn(path) { try? Files.remove(path) }
  }

  private static func isOwn(_ path: String) -> Bool {
    guard let found = Files.information(path) else { return false }
    return found.owner == Host.userID && found.mode & 0o022 == 0
  }

  private static func paths(_ token: String) -> [String] {
    // A record may be damaged; what it names must not lead elsewhere.
    guard token.utf8.allSatisfy({ $0 != UInt8(ascii: "/") }) else { return [] }
    return RuntimeFolder.parents.map { "\($0)/\(name(token))" }
  }

  private static func name(_ token: String) -> String { "\(token).outcome.json" }
}
