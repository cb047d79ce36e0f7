internal import QMPClient

/// The ssh keys that may log in to an instance's guest, for a guest that takes no login without one:
/// qvm's own and the user's.
package struct LoginKeys: Sendable {
  /// The member of an instance's options with the user's public keys. It is there if the instance was
  /// created with a key disk, and empty if the user gave no keys.
  static let member = "sshKeys"

  let disk: KeyDisk
  /// The user's, as lines of `authorized_keys`.
  let users: [String]

  /// For an instance that is to be created; nil if its guest needs no keys.
  ///
  /// - Parameters:
  ///   - target: The guest.
  ///   - release: The tag of its image's release; nil for the newest.
  ///   - users: The user's keys.
  init?(for target: Target, release: String?, users: [PublicKey]) {
    guard let disk = KeyDisk(for: target.operatingSystem, release: release) else { return nil }
    self.disk = disk
    self.users = users.map(\.line)
  }

  /// For an instance that exists; nil if its guest gets no keys.
  ///
  /// A guest replaces its list of keys by those of the disk. So an instance that was created without
  /// the disk, by an older qvm, gets it only if the user gives keys for this boot.
  ///
  /// - Parameters:
  ///   - record: The instance's.
  ///   - users: The user's keys for this boot; empty for those of the record.
  init?(of record: InstanceRecord, users: [PublicKey]) {
    let recorded = record.options[Self.member]?.array?.compactMap(\.string)
    let release = String(Files.lastName(of: Files.parent(of: record.baseImage)))
    guard recorded != nil || !users.isEmpty,
      let disk = KeyDisk(for: record.target.operatingSystem, release: release)
    else { return nil }
    self.disk = disk
    self.users = users.isEmpty ? recorded ?? [] : users.map(\.line)
  }

  /// The contents of the disk, with qvm's own key, which is made if there is none.
  ///
  /// - Parameters:
  ///   - isNeeded: Whether the command logs in itself, so that it can't do without the key.
  ///   - cache: The cache with the key.
  ///   - client: For notices.
  /// - Returns: The bytes; nil if there are no keys at all.
  /// - Throws: ``SSHKeyError`` if qvm's key can't be made but is needed; ``FATImage/TooBig``;
  ///   ``FileError``, ``SpawnError``; `CancellationError`.
  func contents(isNeeded: Bool, in cache: Cache, with client: ReleaseClient) async throws
    -> [UInt8]?
  {
    var lines = users
    do {
      lines.insert(try await SSHKeyPair.ensure(in: cache, on: client.loop).publicKey(), at: 0)
    } catch let error as SSHKeyError where !isNeeded {
      client.notify(
        "\(error.message), so 'qvm ssh' may not get in"
          + (error.advice.map { ". \($0)" } ?? ""))
    }
    guard !lines.isEmpty else { return nil }
    return try FATImage.bytes(
      contents: lines.flatMap { Array($0.utf8) + [UInt8(ascii: "\n")] }, form: disk.form)
  }

  /// What a dry run says of the disk.
  static let dryRunNote =
    "the drive \(KeyDisk.driveID) is a small disk with ssh keys, which the guest reads when it boots"
  /// What a dry run says while it is open whether there will be a disk.
  static let openNote =
    "the image is not downloaded yet. With one of an older release the guest also gets a small disk with"
    + " ssh keys"

  /// Why the user's keys have no effect on a guest that needs none.
  static func unused(_ target: Target, release: String) -> String {
    let login = target.operatingSystem.login.map { " ('\($0.user)': \($0.password))" } ?? ""
    return
      "--ssh-key has no effect: the guest of \(target.imageName) \(release) takes logins without a"
      + " key\(login)"
  }
}

/// A disk with keys that is ready to be written.
struct PreparedKeys: Sendable {
  let disk: KeyDisk
  let bytes: [UInt8]

  /// Writes the image of the disk, unless it has these bytes already.
  func write(to path: String) throws(FileError) {
    if let found = Files.information(path), found.kind == .file, found.size == bytes.count,
      (try? Files.read(path)) == bytes
    {
      return
    }
    try Files.write(bytes, to: path, isLasting: false)
  }
}
