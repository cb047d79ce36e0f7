internal import QMPClient

/// Programs from an archive of the `resources` releases, in a folder of their own in the cache.
struct Resource: Sendable {
  static let repository = "resources"

  /// The archive's name.
  let asset: String
  /// Where its content goes; it appears there as a whole.
  let folder: String
  let members: [Archive.Member]
  /// The programs in it, each by its path there and its path in the folder.
  let programs: [(from: String, to: String)]

  /// Downloads and unpacks the archive, and makes sure that its programs run here.
  ///
  /// - Parameters:
  ///   - client: Where to get it from.
  ///   - installed: What is in the folder; nil where that is incomplete.
  /// - Returns: What `installed` gives in the end.
  /// - Throws: ``ReleaseError``, ``DownloadError``, ``ArchiveError``, ``ToolchainError``;
  ///   `CancellationError`.
  func install<Value: Sendable>(
    with client: ReleaseClient, installed: () -> Value?
  ) async throws -> Value {
    try await client.once(asset, existing: installed) { lock in
      let found = try await client.find(asset, in: Self.repository)
      let download = Download(asset: found, client: client, lock: lock)
      let archive = Archive(path: try await download.fetch().path, name: asset)
      let staging = download.unpacked
      // What a run that was killed left behind; the lock says that it is nobody's.
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
        try ReleaseFile.write(found.tag, in: staging)
        try Files.makeFolder(Files.parent(of: folder))
        // One that is incomplete: otherwise it would have been found.
        try Files.removeTree(folder)
        try Files.rename(staging, to: folder)
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

  private func check(_ program: String, on loop: EventLoop) async throws {
    let output: Program.Output
    do {
      output = try await Program.run(
        program, ["--version"], environment: ToolEnvironment.entries, on: loop)
    } catch let error as SpawnError {
      throw ToolchainError.cannotRun(program: asset, why: error.cause.reason)
    }
    guard output.succeeded else {
      throw ToolchainError.cannotRun(program: asset, why: output.complaint)
    }
  }
}
