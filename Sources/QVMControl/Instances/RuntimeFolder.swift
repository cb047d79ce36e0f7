package import QMPClient

/// Where the sockets of an instance are: beside its disk, so that they stay for as long as it does,
/// whatever cleans up elsewhere.
///
/// A socket's address has room for some hundred bytes. Where the path of the instance has more, its
/// sockets are reached by a short link to its folder, made anew by whoever finds it gone. On a disk
/// that takes no sockets they have a folder of their own, in the user's runtime folder.
package struct RuntimeFolder: Sendable, Hashable {
  private enum Place: Sendable, Hashable {
    case instance
    /// `path` is a link to the instance's folder.
    case link(to: String)
    case own
  }

  /// What the paths of the sockets begin with.
  package let path: String
  private let place: Place

  /// A folder that has nothing but sockets in it.
  package init(path: String) { self.init(path: path, .own) }

  private init(path: String, _ place: Place) {
    self.path = path
    self.place = place
  }

  package var monitor: String { "\(path)/monitor.sock" }
  package var console: String { "\(path)/console.sock" }
  package var control: String { "\(path)/control.sock" }
  package var sockets: [String] { [monitor, console, control] }

  /// The folder itself.
  private var folder: String { if case .link(let target) = place { target } else { path } }

  /// The same places by addresses that no other boot has: a QEMU that ends removes what then has the
  /// address that it was given, which may be another's where its own folder was moved.
  ///
  /// - Parameter token: The boot's.
  /// - Returns: The same sockets by those addresses.
  package func addresses(ofBoot token: String) -> RuntimeFolder {
    RuntimeFolder(path: "\(path)/\(Self.alias(token))", place)
  }

  /// A link to the folder that it is in.
  private static func alias(_ token: String) -> String { ".\(token.prefix(8))" }

  private var aliases: [String] {
    Files.list(folder).filter { $0.utf8.count == 9 && $0.hasPrefix(".") }.map { "\(folder)/\($0)" }
      .filter { Files.linkTarget($0) == "." }
  }

  /// Whether the sockets lie in the folder of their instance.
  package var isBeside: Bool { place != .own }

  // MARK: - Finding

  /// Where the sockets of an instance belong: the same for every process that has the same
  /// environment, and the same sockets for one that has another.
  package static func of(_ files: InstanceFiles) -> RuntimeFolder {
    let beside = RuntimeFolder(path: files.folder, .instance)
    if beside.fits { return beside }
    return RuntimeFolder(path: short(files.folder), .link(to: files.folder))
  }

  /// A folder for them where the instance's own takes none.
  static func away(from files: InstanceFiles) -> RuntimeFolder {
    RuntimeFolder(path: short(files.folder) + ".d")
  }

  /// The folders that hold this user's links, and the folders of sockets, of all caches.
  static var parents: [String] {
    let folder = Host.environmentPath("XDG_RUNTIME_DIR").flatMap { $0.hasPrefix("/") ? $0 : nil }
    return (folder.map { ["\($0)/qvm"] } ?? []) + shared
  }

  /// The second is for when somebody else has made the first.
  private static var shared: [String] { ["/tmp", "/var/tmp"].map { "\($0)/qvm-\(Host.userID)" } }

  /// The parent to make something new in: `$XDG_RUNTIME_DIR/qvm`, or `/tmp/qvm-<uid>` where that
  /// variable is unset, too long for a socket's address or names a folder that is not this user's.
  static var parent: String {
    if let folder = Host.environmentPath("XDG_RUNTIME_DIR"), folder.hasPrefix("/"),
      // Where others may rename what is in it, nothing in it is this user's own.
      let found = Files.information(folder), isPrivate(found),
      RuntimeFolder(path: "\(folder)/qvm/\(FNV1a.hexadecimal("")).d").fits
    {
      return "\(folder)/qvm"
    }
    return shared.first { Files.information($0).map { isPrivate($0) } ?? true } ?? shared[0]
  }

  /// The short name of a path. It may be the same in two containers that share the folder it is in:
  /// there a link leads to each one's own.
  private static func short(_ path: String) -> String { "\(parent)/\(FNV1a.hexadecimal(path))" }

  private var fits: Bool {
    addresses(ofBoot: "12345678").sockets.allSatisfy { $0.utf8.count <= SocketCalls.longestPath }
  }

  // MARK: - Making

  /// Makes the folder ready for the sockets of a new boot.
  ///
  /// - Parameter token: The boot's.
  /// - Throws: ``RuntimeFolderError`` where somebody else is in the way, or listens there.
  package func prepare(forBoot token: String) throws(RuntimeFolderError) {
    do throws(FileError) {
      try makeFolder()
      try removeStale(sockets)
      // QEMU would remove whatever it finds there.
      for socket in sockets where Files.exists(socket) {
        throw FileError(verb: "use", path: socket, cause: .isOccupant)
      }
      for alias in aliases { try Files.remove(alias) }
      try Files.link(".", at: "\(folder)/\(Self.alias(token))")
    } catch {
      throw .unusable(error, isBeside: isInInstance(error.path))
    }
  }

  private func makeFolder() throws(FileError) {
    if case .own = place { try Files.makePrivateFolder(Files.parent(of: path)) }
    try Files.makePrivateFolder(folder)
    try reach()
  }

  /// Makes room for a new listener at `control.sock`, whose supervisor was killed, or whose sockets
  /// were removed.
  ///
  /// - Throws: ``RuntimeFolderError`` where that lives and listens.
  package func prepareControl() throws(RuntimeFolderError) {
    do throws(FileError) {
      try makeFolder()
      try removeStale([control])
    } catch {
      throw .unusable(error, isBeside: isInInstance(error.path))
    }
  }

  private func isInInstance(_ place: String) -> Bool {
    isBeside && (place.hasPrefix("\(path)/") || place.hasPrefix("\(folder)/"))
  }

  /// Removes sockets that nobody listens on any more.
  ///
  /// - Throws: ``FileError`` where somebody does; the others are gone then.
  private func removeStale(_ sockets: [String]) throws(FileError) {
    var failure: FileError?
    for socket in sockets where Files.information(socket)?.kind == .socket {
      if SocketCalls.isListening(socket) {
        failure = failure ?? FileError(verb: "use", path: socket, cause: .isInUse)
      } else {
        try Files.remove(socket)
      }
    }
    if let failure { throw failure }
  }

  /// An address for a console that QEMU listens at anew: no other's, since QEMU removes it together
  /// with the listener that it was made for.
  package func newConsole() -> String {
    "\(path)/\(Randomness.hexadecimal(bytes: 4))\(Self.newConsoleSuffix)"
  }

  private static let newConsoleSuffix = ".console.sock"

  /// Whether qvm or its QEMU makes files of that name there.
  package static func isOwn(_ name: String) -> Bool {
    let folder = RuntimeFolder(path: "")
    return folder.sockets.contains("/\(name)") || name.hasSuffix(newConsoleSuffix)
  }

  /// Makes sure that the short link is there and leads to the folder.
  private func reach() throws(FileError) {
    guard case .link(let target) = place else { return }
    if Files.linkTarget(path) == target,
      Files.information(Files.parent(of: path)).map({ Self.isPrivate($0) }) == true
    {
      return
    }
    try Files.makePrivateFolder(Files.parent(of: path))
    if let found = Files.information(path), found.kind != .link {
      throw FileError(verb: "use", path: path, cause: .isOccupant)
    }
    removeDanglingLinks(in: Files.parent(of: path))
    // Several may find it gone at the same time.
    let new = "\(path).\(Randomness.hexadecimal(bytes: 4))"
    try Files.link(target, at: new)
    do throws(FileError) { try Files.rename(new, to: path, isLasting: false) } catch {
      try? Files.remove(new)
      throw error
    }
  }

  /// Removes the links to what certainly isn't there any more, such as instances of caches that were
  /// removed as a whole. Whoever needs one makes it again.
  private func removeDanglingLinks(in parent: String) {
    for name in Files.list(parent) where Files.isDangling("\(parent)/\(name)") {
      try? Files.remove("\(parent)/\(name)")
    }
  }

  /// Whether the disk of the instance takes sockets; some that are shared with another system don't.
  package func takesSockets() -> Bool {
    let trial = "\(path)/try.sock"
    do throws(FileError) {
      try reach()
      try Files.remove(trial)
    } catch {
      // What is in the way is told when it is needed.
      return true
    }
    do throws(SystemError) {
      _ = try SocketCalls.listen(trial)
      try? Files.remove(trial)
      return true
    } catch {
      return !error.meansNoSockets
    }
  }

  // MARK: - Connecting

  /// Connects to one of the sockets, if it is this instance's owner who listens there.
  ///
  /// - Parameter socket: One of ``sockets``.
  /// - Returns: The connection.
  /// - Throws: What `connect(2)` says; `EPERM` where somebody else has made the folder, or listens.
  package func connect(_ socket: String) throws(SystemError) -> Descriptor {
    do throws(FileError) { try reach() } catch { throw error.cause }
    guard let found = Files.information(folder) else { throw .nothingThere }
    // Root may look at everybody's, others only at what is theirs.
    guard found.kind == .folder, found.owner == Host.userID || Host.userID == 0,
      found.mode & 0o022 == 0
    else { throw .notOwned }
    let connection = try SocketCalls.connect(socket)
    guard SocketCalls.peerUserID(connection.number) == found.owner else { throw .notOwned }
    return connection
  }

  /// The same for QEMU's monitor, with the errors of a client of it.
  package func connectToMonitor() throws(QMPError) -> Descriptor {
    do throws(SystemError) { return try connect(monitor) } catch {
      throw .cannotConnect(path: monitor, error)
    }
  }

  private static func isPrivate(_ found: Files.Information) -> Bool {
    found.kind == .folder && found.owner == Host.userID && found.mode & 0o022 == 0
  }

  // MARK: - Removing

  /// Removes what qvm has put there, and a folder or a link that was made for it.
  package func remove() {
    removeSockets()
    switch place {
    case .instance: break
    case .link(let target):
      if Files.linkTarget(path) == target { try? Files.remove(path) }
    case .own: Files.removeEmptyFolder(path)
    }
  }

  /// Removes the sockets and what leads to them, and nothing else.
  package func removeSockets() {
    // A link that is gone must not keep them.
    if Files.list(folder).contains(where: Self.isOwn) { try? reach() }
    // A record may have been copied with its cache: then they are those of a VM that lives.
    let unfinished = Files.list(folder).filter { $0.hasSuffix(Self.newConsoleSuffix) }
    try? removeStale(sockets + unfinished.map { "\(folder)/\($0)" })
    for alias in aliases { try? Files.remove(alias) }
  }
}
