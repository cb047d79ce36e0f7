internal import QMPClient

/// Unpacks a tar archive into a folder and checks the contents before they are used.
///
/// tar itself allows links out of the folder, devices and set-user-id programs.
struct Archive: Sendable {
  /// The downloaded file.
  let path: String
  /// Its name in messages.
  let name: String

  /// A file that the archive must contain.
  struct Member: Sendable {
    let path: String
    /// Returns what is wrong with it, as the end of a sentence; nil if nothing is.
    let problem: @Sendable (_ path: String) throws -> String?
  }

  /// Unpacks into a new folder, without the first part of each name.
  ///
  /// On any error the folder is removed.
  ///
  /// - Parameters:
  ///   - folder: The new folder. Its parent must exist.
  ///   - members: The files that must be in it.
  ///   - lock: A lock that tar holds too.
  ///   - loop: The loop that the calling task runs on.
  /// - Throws: ``ArchiveError``, ``FileError``; `CancellationError`.
  func unpack(
    into folder: String, requiring members: [Member], holding lock: FileLock, on loop: EventLoop
  ) async throws {
    guard let tar = Host.find("tar") else { throw ArchiveError.tarMissing }
    // Only uncompressed tar: a compressed archive could unpack to any size.
    let head = try Files.head(of: path, count: 512)
    guard head.count == 512, head[257..<262].elementsEqual("ustar".utf8) else {
      throw ArchiveError.notTar(name: name, found: FileKind.description(of: head))
    }
    do { _ = try TarListing(reading: path) } catch let problem as TarListing.Problem {
      throw ArchiveError(problem, name: name)
    }
    try Files.makeFolder(folder)
    do {
      let output = try await Subprocess.run(
        tar,
        ["-x", "-f", path, "-C", folder, "--strip-components=1", "-o", "--no-same-permissions"],
        environment: ToolEnvironment.entries, inheriting: [lock.descriptor],
        within: Subprocess.longTime, on: loop)
      guard output.succeeded else {
        throw ArchiveError.cannotUnpack(name: name, why: output.problem)
      }
      try secure(folder, inside: folder)
      for member in members {
        let file = "\(folder)/\(member.path)"
        guard Files.information(file)?.kind == .file else {
          throw ArchiveError.missingMember(name: name, member: member.path)
        }
        if let problem = try member.problem(file) {
          throw ArchiveError.badMember(name: name, member: member.path, why: problem)
        }
      }
    } catch {
      try? Files.removeTree(folder)
      throw error
    }
  }

  /// Checks every entry, without following links, and sets the modes.
  private func secure(_ entry: String, inside root: String) throws {
    guard let found = Files.information(entry) else { return }
    switch found.kind {
    case .folder:
      try Files.setMode(0o755, of: entry)
      for name in Files.list(entry) { try secure("\(entry)/\(name)", inside: root) }
    case .file:
      // Holes can make it longer than the size in the archive.
      if found.size > TarListing.largest {
        throw ArchiveError(.tooLarge(TarListing.largest), name: name)
      }
      let isProgram = try ProgramFile.looksLikeProgram(entry)
      try Files.setMode(isProgram ? 0o755 : 0o644, of: entry)
      try Files.synchronize(entry)
    case .link:
      guard let target = Files.resolved(entry), let folder = Files.resolved(root),
        target.hasPrefix("\(folder)/")
      else { fallthrough }
    case .socket, .other:
      let member = String(entry.dropFirst(root.count + 1))
      throw ArchiveError.unsafeMember(name: name, member: member)
    }
  }
}
