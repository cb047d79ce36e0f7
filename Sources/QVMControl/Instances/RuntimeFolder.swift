internal import QMPClient

/// The folder of an instance's sockets: short, private, and the same for every process that looks
/// for it.
package struct RuntimeFolder: Sendable, Hashable {
  package let path: String

  package init(path: String) { self.path = path }

  package var monitor: String { "\(path)/monitor.sock" }
  package var console: String { "\(path)/console.sock" }
  package var control: String { "\(path)/control.sock" }

  /// The folder for an instance: `$XDG_RUNTIME_DIR/qvm/<hash>`, or `/tmp/qvm-<uid>/<hash>` where
  /// that variable is unset or too long for a socket's address.
  ///
  /// - Throws: `runtimePathTooLong`, before anything is started.
  package static func of(_ files: InstanceFiles) throws(InstanceError) -> RuntimeFolder {
    let name = hash(files.folder)
    var candidates: [RuntimeFolder] = []
    if let folder = Host.environment("XDG_RUNTIME_DIR"), folder.hasPrefix("/"),
      let found = Files.information(folder), found.kind == .folder, found.owner == Host.userID
    {
      candidates.append(RuntimeFolder(path: "\(folder)/qvm/\(name)"))
    }
    candidates.append(RuntimeFolder(path: "/tmp/qvm-\(Host.userID)/\(name)"))
    for candidate in candidates
    where candidate.monitor.utf8.count <= SocketCalls.longestPath
      && candidate.control.utf8.count <= SocketCalls.longestPath
    {
      return candidate
    }
    throw .runtimePathTooLong(path: candidates[0].monitor, limit: SocketCalls.longestPath)
  }

  /// 64 bits of FNV-1a, in hexadecimal: long enough to tell one user's instances apart.
  private static func hash(_ text: String) -> String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  private var sockets: [String] { [monitor, console, control] }

  /// Creates the folder for this user alone, without the sockets of an earlier boot.
  ///
  /// - Throws: ``FileError``; `socketPathTaken`, since QEMU removes whatever is in its way.
  package func prepare() throws {
    try Files.makePrivateFolder(Files.parent(of: path))
    try Files.makePrivateFolder(path)
    removeSockets()
    if let taken = sockets.first(where: Files.exists) {
      throw InstanceError.socketPathTaken(path: taken)
    }
  }

  /// Removes the sockets, and the folder if there was nothing else in it: its path comes from a
  /// file, which may be damaged.
  package func remove() {
    removeSockets()
    Files.removeEmptyFolder(path)
  }

  private func removeSockets() {
    for socket in sockets where Files.information(socket)?.kind == .socket {
      try? Files.remove(socket)
    }
  }
}
