package import QMPClient

/// The folder of an instance's sockets. They are beside its disk, so that no cleaner of a shared
/// folder removes them.
///
/// A socket's address has room for about a hundred bytes. If the instance's path is longer, a short
/// link leads to its folder. Any process that finds the link missing makes it again. If the file
/// system has no sockets, they have a folder of their own in the user's runtime folder.
package struct RuntimeFolder: Sendable, Hashable {
  private enum Place: Sendable, Hashable {
    case instance
    /// `path` is a link to the instance's folder.
    case link(to: String)
    case own
  }

  /// The beginning of the sockets' paths.
  package let path: String
  private let place: Place

  /// A folder that contains only sockets.
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

  /// The same sockets under addresses that are unique to a boot. QEMU removes its socket addresses
  /// when it exits. After its folder was moved, a shared address could belong to another QEMU by
  /// then.
  ///
  /// - Parameter token: The boot's.
  /// - Returns: The sockets under those addresses.
  package func addresses(ofBoot token: String) -> RuntimeFolder {
    RuntimeFolder(path: "\(path)/\(Self.alias(token))", place)
  }

  /// The name of a link to the folder that contains it.
  private static func alias(_ token: String) -> String { ".\(token.prefix(8))" }

  private var aliases: [String] {
    Files.list(folder).filter { $0.utf8.count == 9 && $0.hasPrefix(".") }.map { "\(folder)/\($0)" }
      .filter { Files.linkTarget($0) == "." }
  }

  /// Whether the sockets are in their instance's folder.
  package var isBeside: Bool { place != .own }

  // MARK: - Finding

  /// The folder of an instance's sockets. Its path depends on the environment, but it always leads
  /// to the same sockets.
  package static func of(_ files: InstanceFiles) -> RuntimeFolder {
    let beside = RuntimeFolder(path: files.folder, .instance)
    if beside.fits { return beside }
    return RuntimeFolder(path: short(files.folder), .link(to: files.folder))
  }

  /// The folder for the sockets if the instance's file system has none.
  static func away(from files: InstanceFiles) -> RuntimeFolder {
    RuntimeFolder(path: short(files.folder) + ".d")
  }

  /// The folders with this user's links and folders of sockets, of all caches.
  static var parents: [String] {
    let folder = Host.environmentPath("XDG_RUNTIME_DIR").flatMap { $0.hasPrefix("/") ? $0 : nil }
    return (folder.map { ["\($0)/qvm"] } ?? []) + shared
  }

  /// The second one is used if another user has made the first.
  private static var shared: [String] { ["/tmp", "/var/tmp"].map { "\($0)/qvm-\(Host.userID)" } }

  /// The parent for new links and folders: `$XDG_RUNTIME_DIR/qvm`, or `/tmp/qvm-<uid>` if that
  /// variable is unset, too long for a socket's address or names another user's folder.
  static var parent: String {
    if let folder = Host.environmentPath("XDG_RUNTIME_DIR"), folder.hasPrefix("/"),
      // If other users may rename its entries, no entry is safe.
      let found = Files.information(folder), isPrivate(found),
      RuntimeFolder(path: "\(folder)/qvm/\(FNV1a.hexadecimal("")).d").fits
    {
      return "\(folder)/qvm"
    }
    return shared.first { Files.information($0).map { isPrivate($0) } ?? true } ?? shared[0]
  }

  /// The short name of a path. Two containers that share the parent may have the same one; then the
  /// link leads to each container's own folder.
  private static func short(_ path: String) -> String { "\(parent)/\(FNV1a.hexadecimal(path))" }

  private var fits: Bool {
    addresses(ofBoot: "12345678").sockets.allSatisfy { $0.utf8.count <= SocketCalls.longestPath }
  }

  // MARK: - Making

  /// Prepares the folder for the sockets of a new boot.
  ///
  /// - Parameter token: The boot's.
  /// - Throws: ``RuntimeFolderError`` if something else is in the way, or a process listens there.
  package func prepare(forBoot token: String) throws(RuntimeFolderError) {
    do throws(FileError) {
      try makeFolder()
      try removeStale(sockets)
      // QEMU would remove any file at these paths.
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

  /// Prepares `control.sock` for a new listener, after the supervisor was killed or the socket
  /// removed.
  ///
  /// - Throws: ``RuntimeFolderError`` if a process listens there.
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

  /// Removes sockets without a listener.
  ///
  /// - Throws: ``FileError`` if one has a listener. The others are removed first.
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

  /// A unique address for a new console of QEMU's. QEMU removes the address together with its
  /// listener.
  package func newConsole() -> String {
    "\(path)/\(Randomness.hexadecimal(bytes: 4))\(Self.newConsoleSuffix)"
  }

  private static let newConsoleSuffix = ".console.sock"

  /// Whether qvm or its QEMU makes files of that name in such a folder.
  package static func isOwn(_ name: String) -> Bool {
    let folder = RuntimeFolder(path: "")
    return folder.sockets.contains("/\(name)") || name.hasSuffix(newConsoleSuffix)
  }

  /// Makes sure that the short link exists and leads to the folder.
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
    // Several processes may find it missing at the same time.
    let new = "\(path).\(Randomness.hexadecimal(bytes: 4))"
    try Files.link(target, at: new)
    do throws(FileError) { try Files.rename(new, to: path, isLasting: false) } catch {
      try? Files.remove(new)
      throw error
    }
  }

  /// Removes links whose target certainly doesn't exist any more, such as instances of caches that
  /// were removed as a whole. A process that needs a link makes it again.
  private func removeDanglingLinks(in parent: String) {
    for name in Files.list(parent) where Files.isDangling("\(parent)/\(name)") {
      try? Files.remove("\(parent)/\(name)")
    }
  }

  /// Whether the instance's file system supports sockets. Some that are shared with another system
  /// don't.
  package func takesSockets() -> Bool {
    let trial = "\(path)/try.sock"
    do throws(FileError) {
      try reach()
      try Files.remove(trial)
    } catch {
      // A file in the way is reported later, when the folder is prepared.
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

  /// Connects to one of the sockets, if the listener belongs to the folder's owner.
  ///
  /// - Parameter socket: One of ``sockets``.
  /// - Returns: The connection.
  /// - Throws: The error of `connect(2)`; `EPERM` if the folder or the listener belongs to another
  ///   user.
  package func connect(_ socket: String) throws(SystemError) -> Descriptor {
    do throws(FileError) { try reach() } catch { throw error.cause }
    guard let found = Files.information(folder) else { throw .nothingThere }
    // Root may connect to every user's VM, other users only to their own.
    guard found.kind == .folder, found.owner == Host.userID || Host.userID == 0,
      found.mode & 0o022 == 0
    else { throw .notOwned }
    let connection = try SocketCalls.connect(socket)
    guard SocketCalls.peerUserID(connection.number) == found.owner else { throw .notOwned }
    return connection
  }

  /// Connects to QEMU's monitor, with the errors of a QMP client.
  package func connectToMonitor() throws(QMPError) -> Descriptor {
    do throws(SystemError) { return try connect(monitor) } catch {
      throw .cannotConnect(path: monitor, error)
    }
  }

  private static func isPrivate(_ found: Files.Information) -> Bool {
    found.kind == .folder && found.owner == Host.userID && found.mode & 0o022 == 0
  }

  // MARK: - Removing

  /// Removes the sockets, and a folder or a link that was made for them.
  package func remove() {
    removeSockets()
    switch place {
    case .instance: break
    case .link(let target):
      if Files.linkTarget(path) == target { try? Files.remove(path) }
    case .own: Files.removeEmptyFolder(path)
    }
  }

  /// Removes only the sockets and the links to them.
  package func removeSockets() {
    // A missing link must not prevent that.
    if Files.list(folder).contains(where: Self.isOwn) { try? reach() }
    // Only without a listener: if the record was copied with its cache, they may belong to a
    // running VM.
    let unfinished = Files.list(folder).filter { $0.hasSuffix(Self.newConsoleSuffix) }
    try? removeStale(sockets + unfinished.map { "\(folder)/\($0)" })
    for alias in aliases { try? Files.remove(alias) }
  }
}
