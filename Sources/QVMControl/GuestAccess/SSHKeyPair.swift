package import QMPClient

/// The pair of ssh keys with which qvm logs in to the guests of a cache that need a key.
///
/// It is made when a guest needs it for the first time. Both files appear at once, in their folder.
package struct SSHKeyPair: Sendable, Hashable {
  private let folder: String

  package var privateKey: String { "\(folder)/\(Self.privateName)" }
  private static let privateName = "id_ed25519"
  /// The place of the private key in a cache.
  static let place = "\(Cache.keysName)/\(privateName)"
  private static let publicName = "\(privateName).pub"

  private init(folder: String) { self.folder = folder }

  /// The pair of a cache; nil if there is none yet.
  package static func find(in cache: Cache) -> SSHKeyPair? {
    let pair = SSHKeyPair(folder: cache.keys)
    return Files.information(pair.privateKey)?.kind == .file ? pair : nil
  }

  /// The public key, as a line of `authorized_keys` without its end.
  ///
  /// - Throws: ``SSHKeyError``, ``FileError``.
  package func publicKey() throws -> String {
    try PublicKey.read("\(folder)/\(Self.publicName)")[0].line
  }

  // MARK: - Making

  /// The pair of a cache, which is made if there is none.
  ///
  /// - Throws: ``SSHKeyError``, ``FileError``, ``SpawnError``; `CancellationError`.
  package static func ensure(in cache: Cache, on loop: EventLoop) async throws -> SSHKeyPair {
    if !Files.list(cache.keys).isEmpty { return try await existing(in: cache, on: loop) }
    let program = try findProgram()
    for old in leftovers(in: cache) { try? Files.removeTree(old) }
    // Made under another name, and renamed as a whole: the first of several processes wins, and one that
    // is killed leaves no half pair.
    let staging = SSHKeyPair(
      folder: "\(cache.path)/\(newPrefix)\(Randomness.hexadecimal(bytes: 4))")
    defer { try? Files.removeTree(staging.folder) }
    try Files.makePrivateFolder(staging.folder)
    let output = try await Subprocess.run(
      program, ["-q", "-t", "ed25519", "-N", "", "-C", "qvm", "-f", staging.privateKey],
      environment: ToolEnvironment.entries, on: loop)
    guard output.succeeded else { throw SSHKeyError.cannotMake(why: output.problem) }
    for name in [privateName, publicName] {
      try Files.setMode(0o600, of: "\(staging.folder)/\(name)")
      try Files.synchronize("\(staging.folder)/\(name)")
    }
    _ = try staging.publicKey()
    do throws(FileError) { try Files.rename(staging.folder, to: cache.keys) } catch {
      guard error.cause.isOccupied else { throw error }
    }
    return try await existing(in: cache, on: loop)
  }

  /// The pair that is there. Mends what a copy of the cache may have changed.
  private static func existing(in cache: Cache, on loop: EventLoop) async throws -> SSHKeyPair {
    guard let pair = find(in: cache) else { throw SSHKeyError.incomplete(folder: cache.keys) }
    // ssh refuses a key that others can read.
    try Files.makePrivateFolder(pair.folder)
    if Files.information(pair.privateKey)?.mode != 0o600 {
      try Files.setMode(0o600, of: pair.privateKey)
    }
    if !Files.exists("\(pair.folder)/\(publicName)") {
      let output = try await Subprocess.run(
        try findProgram(), ["-y", "-P", "", "-f", pair.privateKey],
        environment: ToolEnvironment.entries, on: loop)
      guard output.succeeded else { throw SSHKeyError.incomplete(folder: pair.folder) }
      try Files.write(output.standardOutput, to: "\(pair.folder)/\(publicName)")
    }
    return pair
  }

  private static func findProgram() throws(SSHKeyError) -> String {
    guard let program = Host.find("ssh-keygen") else { throw .noProgram }
    return program
  }

  // MARK: - Leftovers

  private static let newPrefix = ".keys-"
  /// Longer than the making can take, in seconds.
  private static let making = 120

  /// The folders that killed processes have left.
  package static func leftovers(in cache: Cache) -> [String] {
    Files.list(cache.path).compactMap { name in
      let path = "\(cache.path)/\(name)"
      guard name.hasPrefix(newPrefix), let found = Files.information(path),
        Timestamp.now.seconds - found.modified > making
      else { return nil }
      return path
    }
  }
}
