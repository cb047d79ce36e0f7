/// The outcome of a boot that could not be written to the instance's folder because the disk was
/// full. It is kept in the user's runtime folder until it can be.
package enum KeptOutcome {
  /// The outcome of a boot; nil if none is kept.
  ///
  /// - Parameters:
  ///   - token: The boot's token.
  ///   - files: The instance's files, because a copy of the instance has the same token.
  /// - Returns: The outcome.
  package static func read(boot token: String, of files: InstanceFiles) -> Outcome? {
    for path in paths(token, files) where isOwn(path) && isOwn(Files.parent(of: path)) {
      if let outcome = try? Outcome.read(path), outcome.token == token { return outcome }
    }
    return nil
  }

  /// Keeps an outcome.
  ///
  /// - Throws: ``FileError``.
  package static func write(_ outcome: Outcome, of files: InstanceFiles) throws(FileError) {
    guard let name = name(outcome.token, files) else { return }
    try Files.makePrivateFolder(RuntimeFolder.parent)
    try JSONFile.write(outcome.json, to: "\(RuntimeFolder.parent)/\(name)")
  }

  /// Removes the kept outcome of a boot.
  static func remove(boot token: String, of files: InstanceFiles) {
    for path in paths(token, files) where isOwn(path) { try? Files.remove(path) }
  }

  private static func isOwn(_ path: String) -> Bool {
    guard let found = Files.information(path) else { return false }
    return found.owner == Host.userID && found.mode & 0o022 == 0
  }

  private static func paths(_ token: String, _ files: InstanceFiles) -> [String] {
    guard let name = name(token, files) else { return [] }
    return RuntimeFolder.parents.map { "\($0)/\(name)" }
  }

  /// The file's name; nil if the instance is gone, or the token could lead to another folder.
  private static func name(_ token: String, _ files: InstanceFiles) -> String? {
    guard let lock = files.lockIdentity,
      token.utf8.allSatisfy({ $0 != UInt8(ascii: "/") })
    else { return nil }
    return "\(token)-\(lock).outcome.json"
  }
}
