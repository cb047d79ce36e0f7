internal import QMPClient

/// The folder of an instance's sockets: short, private, and the same for every process that looks
/// for it.
package struct RuntimeFolder: Sendable, Hashable {
  package let path: String

  package init(path: String) { self.path = path }

  package var monitor: String { "\(path)/monitor.sock" }
  package var console: String { "\(path)/console.sock" }
  package var control: String { "\(path)/control.sock" }
  /// How the boot ended, where the instance's own folder did not take it: its disk may be full.
  package var outcome: String { "\(path)/outcome.json" }

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
      let found = Files.information(folder), found.kind == .folder, found.owner == Host.userID,
      // Where others may rename what is in it, nothing in it is this user's own.
      found.mode & 0o022 == 0
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

  /// Creates the folder for this user alone, without what an earlier boot left there.
  ///
  /// - Throws: ``RuntimeFolderError`` where somebody else is in the way.
  package func prepare() throws(RuntimeFolderError) {
    do throws(FileError) {
      try Files.makePrivateFolder(Files.parent(of: path))
      try Files.makePrivateFolder(path)
      removeSockets()
      try Files.remove(outcome)
      // QEMU would remove whatever it finds there.
      for socket in [monitor, console, control] where Files.exists(socket) {
        throw FileError(verb: "use", path: socket, cause: .isOccupant)
      }
    } catch {
      throw .unusable(error)
    }
  }

  /// Removes what qvm has put there, and the folder where nothing else is in it.
  package func remove() {
    removeSockets()
    if Files.information(path)?.kind == .folder { try? Files.remove(outcome) }
    Files.removeEmptyFolder(path)
  }

  /// Removes the sockets, and nothing else.
  package func removeSockets() {
    for socket in [monitor, console, control] where Files.information(socket)?.kind == .socket {
      try? Files.remove(socket)
    }
  }
}

/// A folder for sockets that is not this user's alone.
package enum RuntimeFolderError: QVMFailure, Hashable {
  case unusable(FileError)

  package var message: String {
    switch self {
    case .unusable(let error): error.message
    }
  }

  package var advice: String? {
    "Remove what is there if it is yours, or set XDG_RUNTIME_DIR to a folder of yours with mode 0700."
  }
}
