internal import QMPClient

/// The program that creates and checks disk images.
package struct ImageTools: Sendable, Hashable {
  /// The absolute path of `qemu-img`.
  package let qemuImg: String

  package init(qemuImg: String) { self.qemuImg = qemuImg }

  /// The installed `qemu-img` for this choice; nil if it must be downloaded.
  ///
  /// - Throws: `qemuImgMissing` if none is available, `incompleteFolder`.
  private static func existing(
    for target: Target, in cache: Cache, _ choice: QEMUChoice
  ) throws(ToolchainError) -> ImageTools? {
    let system = Host.find("qemu-img").map(ImageTools.init)
    switch choice {
    case .folder(let folder):
      let path = "\(folder)/bin/qemu-img"
      if Files.isExecutable(path) { return ImageTools(qemuImg: path) }
      guard let system else { throw .incompleteFolder(folder, missing: "bin/qemu-img") }
      return system
    case .system:
      guard let system else { throw .qemuImgMissing }
      return system
    case .managed:
      guard QEMUChoice.canRunManaged(isAsked: true) else { throw QEMUToolchain.unavailable }
      return managed(in: cache)
    case .auto:
      if let managed = managed(in: cache) { return managed }
      if let system, target.operatingSystem == .demo { return system }
      if QEMUChoice.canRunManaged(isAsked: false) { return nil }
      guard let system else { throw .qemuImgMissing }
      return system
    }
  }

  /// Any installed `qemu-img`; nil if there is none.
  package static func present(in cache: Cache) -> ImageTools? {
    if let choice = try? QEMUChoice.fromEnvironment(), case .folder(let folder) = choice,
      Files.isExecutable("\(folder)/bin/qemu-img")
    {
      return ImageTools(qemuImg: "\(folder)/bin/qemu-img")
    }
    return managed(in: cache) ?? Host.find("qemu-img").map(ImageTools.init)
  }

  private static func managed(in cache: Cache) -> ImageTools? {
    let path = "\(cache.imageTools)/qemu-img"
    guard ReleaseMarker.tag(in: cache.imageTools) != nil, Files.isExecutable(path) else {
      return nil
    }
    return ImageTools(qemuImg: path)
  }

  /// Makes sure that there is a `qemu-img`, by the same rules as for a target's QEMU.
  ///
  /// - Parameters:
  ///   - target: The target.
  ///   - choice: The choice; `QVM_QEMU` if nil.
  ///   - refresh: Whether to look for a newer release of the managed one.
  ///   - client: The source, and the cache.
  /// - Returns: The program.
  /// - Throws: ``ToolchainError``, ``ReleaseError``, ``DownloadError``, ``ArchiveError``;
  ///   `CancellationError`.
  package static func ensure(
    for target: Target, choice: QEMUChoice? = nil, refresh: Bool = false,
    with client: ReleaseClient
  ) async throws -> ImageTools {
    let choice = try choice ?? .fromEnvironment()
    if let tools = try existing(for: target, in: client.cache, choice) {
      guard refresh, tools == managed(in: client.cache) else { return tools }
      do {
        return try await install(refresh: true, with: client)
      } catch let failure as any UserFacingError {
        client.notify("keeping the installed qemu-img: \(failure.message)")
        return tools
      }
    }
    do {
      return try await install(refresh: false, with: client)
    } catch let failure as any UserFacingError {
      guard choice == .auto, let path = Host.find("qemu-img") else { throw failure }
      client.notify("using \(path) instead: \(failure.message)")
      return ImageTools(qemuImg: path)
    }
  }

  private static func install(
    refresh: Bool, with client: ReleaseClient
  ) async throws -> ImageTools {
    let cache = client.cache
    let resource = ToolArchive(
      asset: "resources-\(Host.system).tar", folder: cache.imageTools,
      members: [Archive.Member(path: "qemu-img") { try ProgramFile.problem($0) }],
      programs: [("qemu-img", "qemu-img")])
    return try await resource.install(refresh: refresh, with: client) { managed(in: cache) }
  }
}
