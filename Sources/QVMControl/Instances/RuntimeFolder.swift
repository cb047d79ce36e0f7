internal import QMPClient

/// The folder of an instance's sockets: short, private, and the same for every process that looks
/// for it.
package struct RuntimeFolder: Sendable, Hashable {
  package let path: String

  package init(path: String) { self.path = path }

  package var monitor: String { "\(path)/monitor.sock" }
  package var console: String { "\(path)/console.sock" }
  package var control: String { "\(path)/control.sock" }

  /// Where the folders of this user's instances are, of all caches.
  static var parents: [String] {
    let folders = [Host.environment("XDG_RUNTIME_DIR").map { "\($0)/qvm" }].compactMap(\.self)
    return folders.filter { $0.hasPrefix("/") } + ["/tmp/qvm-\(Host.userID)"]
  }

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

  /// Creates the folder for this user alone, without the sockets of an earlier boot.
  package func prepare() throws(FileError) {
    try Files.makePrivateFolder(Files.parent(of: path))
    try Files.makePrivateFolder(path)
    removeSockets()
  }

  /// Removes the sockets, and the folder.
  package func remove() {
    removeSockets()
    try? Files.removeTree(path)
  }

  private func removeSockets() {
    for socket in [monitor, console, control] where Files.information(socket)?.kind == .socket {
      try? Files.remove(socket)
    }
  }
}
