internal import QMPClient

/// An archive of the `resources` releases, whose programs are installed in a folder of the cache.
struct ToolArchive: Sendable {
  static let repository = "resources"

  /// The archive's name.
  let asset: String
  /// The folder for its contents, which appear there as a whole.
  let folder: String
  let members: [Archive.Member]
  /// The programs: each one's path in the archive and its path in the folder.
  let programs: [(from: String, to: String)]

  /// Downloads and unpacks the archive, and checks that its programs run here.
  ///
  /// - Parameters:
  ///   - refresh: Whether to look for a newer release than the installed one.
  ///   - client: The source.
  ///   - installed: Returns what is installed in the folder; nil if it is incomplete.
  /// - Returns: The final result of `installed`.
  /// - Throws: ``ReleaseError``, ``DownloadError``, ``ArchiveError``, ``ToolchainError``;
  ///   `CancellationError`.
  func install<Value: Sendable>(
    refresh: Bool, with client: ReleaseClient, installed: () -> Value?
  ) async throws -> Value {
    try await client.once(
      asset, existing: { refresh ? nil : installed() }, tag: { _ in ReleaseMarker.tag(in: folder) }
    ) { lock in
      try restoreFolder(in: client.cache)
      if !refresh, let value = installed() { return value }
      let found = try await client.find(asset, in: Self.repository)
      if ReleaseMarker.tag(in: folder) == found.tag, let value = installed() { return value }
      let download = Download(asset: found, client: client, lock: lock)
      let file = try await download.fetch()
      let archive = Archive(path: file.path, name: asset)
      let staging = download.unpacked
      // The lock is held, so any existing folder was left behind by a killed run.
      try Files.removeTree(staging)
      do {
        try await archive.unpack(
          into: staging, requiring: members, holding: lock, on: client.loop)
      } catch let error as ArchiveError where error != .tarMissing {
        download.clean()
        throw error
      }
      do {
        for program in programs {
          let path = "\(staging)/\(program.to)"
          try Files.rename("\(staging)/\(program.from)", to: path)
          try await check(path, on: client.loop)
        }
        try await QEMUBuild.recordDigests(in: staging, on: client.loop)
        try ReleaseMarker.write(found.tag, in: staging)
        try replaceFolder(by: staging, settingAside: download.setAside)
        download.reportUnverified(file)
      } catch {
        try? Files.removeTree(staging)
        throw error
      }
      download.clean()
      guard let value = installed() else {
        throw ArchiveError.missingMember(name: asset, member: programs.first?.from ?? "a program")
      }
      return value
    }
  }

  /// Replaces the installed folder, if any. VMs that use the old one keep running, because they
  /// have its files open.
  private func replaceFolder(by staging: String, settingAside old: String) throws {
    try Files.makeFolder(Files.parent(of: folder))
    guard Files.exists(folder) else { return try Files.rename(staging, to: folder) }
    try discard(old)
    try Files.rename(folder, to: old)
    try Files.rename(staging, to: folder)
    try discard(old)
  }

  /// Removes a folder that was set aside. It is renamed first, so that a half-removed folder isn't
  /// restored.
  private func discard(_ old: String) throws {
    guard Files.exists(old) else { return }
    let removed = "\(old).removed"
    try Files.removeTree(removed)
    try Files.rename(old, to: removed)
    try Files.removeTree(removed)
  }

  /// Restores the folder that a killed run had set aside. The lock is held, so no other process is
  /// using it.
  private func restoreFolder(in cache: Cache) throws {
    guard !Files.exists(folder), let old = DownloadLeftovers.setAside(asset, in: cache) else {
      return
    }
    try Files.makeFolder(Files.parent(of: folder))
    try Files.rename(old, to: folder)
  }

  private func check(_ program: String, on loop: EventLoop) async throws {
    let output: Subprocess.Output
    do {
      output = try await Subprocess.run(
        program, ["--version"], environment: ToolEnvironment.entries, on: loop)
    } catch let error as SpawnError {
      throw ToolchainError.cannotRun(program: asset, why: error.cause.reason)
    }
    guard output.succeeded else {
      throw ToolchainError.cannotRun(program: asset, why: output.problem)
    }
  }
}
