internal import QMPClient

extension BaseImage {
  /// A base image that a release has.
  package struct Available: Sendable, Hashable {
    package let version: String
    package let architecture: Architecture

    /// Reads the name of an asset, such as `freebsd-14.2-x86-64.qcow2`; nil for anything else.
    init?(_ asset: String, of operatingSystem: OperatingSystem) {
      let prefix = "\(operatingSystem.rawValue)-"
      guard asset.hasPrefix(prefix), asset.hasSuffix(".qcow2") else { return nil }
      let rest = asset.dropFirst(prefix.count).dropLast(".qcow2".count)
      guard
        let architecture = Architecture.allCases.first(where: { rest.hasSuffix("-\($0.rawValue)") })
      else { return nil }
      version = String(rest.dropLast(architecture.rawValue.count + 1))
      self.architecture = architecture
      if version.isEmpty { return nil }
    }
  }

  /// Makes sure that the base image for a target is in the cache.
  ///
  /// One that is there, of whatever release, is used without any network, unless `refresh` asks
  /// for the newest release that has it.
  ///
  /// - Parameters:
  ///   - target: What the image is for.
  ///   - refresh: Whether to look for a newer release.
  ///   - client: Where to look.
  ///   - imageTools: Gives the `qemu-img` to check the image with; asked only when there is one to
  ///     download, at the same time.
  /// - Returns: The image, in its place.
  /// - Throws: ``ImageError``, ``ReleaseError``, ``DownloadError``, ``FileError``;
  ///   `CancellationError`.
  package static func ensure(
    _ target: Target, refresh: Bool = false, with client: ReleaseClient,
    imageTools: @escaping @Sendable () async throws -> ImageTools
  ) async throws -> BaseImage {
    guard let repository = target.operatingSystem.builderRepository else {
      return try await ensureBuiltin(target, with: client, imageTools: imageTools)
    }
    let name = "\(target.imageName).qcow2"
    return try await client.once(
      name, existing: { refresh ? nil : find(target, in: client.cache) }
    ) { lock in
      let asset = try await newest(name, for: target, in: repository, with: client)
      let path = path(target.imageName, tag: asset.tag, in: client.cache)
      let there = all(named: target.imageName, in: client.cache).first { $0.tag == asset.tag }
      if let there {
        // What instances stand on is not replaced behind their backs, not even when damaged.
        if there.isWhole { return there }
        throw ImageError.damaged(
          path: path, size: Files.information(path)?.size ?? 0, expected: there.size)
      }
      async let tools = imageTools()
      let download = Download(asset: asset, client: client, lock: lock)
      let file = try await download.fetch()
      do {
        try checkHeader(of: file.path, name: asset.name)
        try await check(file.path, name: asset.name, with: try await tools, on: client.loop)
      } catch let error as ImageError {
        download.clean()
        throw error
      }
      let image = BaseImage(
        name: target.imageName, tag: asset.tag, path: path, size: file.size, url: asset.url,
        sha256: file.sha256)
      try image.place(file.path)
      download.clean()
      return image
    }
  }

  private static func newest(
    _ name: String, for target: Target, in repository: String, with client: ReleaseClient
  ) async throws -> ReleaseClient.Asset {
    do {
      return try await client.find(name, in: repository)
    } catch ReleaseError.noSuchAsset(_, let page, let names, nil) {
      let available = names.compactMap { Available($0, of: target.operatingSystem) }
      throw ImageError.noSuchVersion(target, available: available, page: page)
    }
  }

  /// Makes sure that a file is an image that needs no other.
  private static func checkHeader(of file: String, name: String) throws(ImageError) {
    do throws(Qcow2Header.Problem) {
      let head = (try? Files.head(of: file, count: Qcow2Header.length)) ?? []
      _ = try Qcow2Header(head)
    } catch {
      throw ImageError.unusable(name: name, error)
    }
  }

  /// Makes sure that all of an image is there, and right.
  private static func check(
    _ file: String, name: String, with tools: ImageTools, on loop: EventLoop
  ) async throws {
    let output = try await Program.run(
      tools.qemuImg, ["check", "-q", "-f", "qcow2", file], environment: ToolEnvironment.entries,
      on: loop)
    // 3 is space that belongs to nothing: a waste, but all that the guest reads is right.
    if output.end == .exited(0) || output.end == .exited(3) { return }
    throw ImageError.corrupt(name: name, why: output.complaint)
  }

  // MARK: - The demo guest

  private static func ensureBuiltin(
    _ target: Target, with client: ReleaseClient, imageTools: () async throws -> ImageTools
  ) async throws -> BaseImage {
    let path = path(target.imageName, tag: builtinTag, in: client.cache)
    return try await client.once(
      target.imageName, existing: { find(target, in: client.cache) }
    ) { lock in
      let folder = Files.parent(of: path)
      try Files.makeFolder(folder)
      let raw = "\(folder)/.\(target.imageName).raw"
      let converted = "\(folder)/.\(target.imageName).qcow2"
      defer {
        try? Files.remove(raw)
        try? Files.remove(converted)
      }
      try Files.write(DemoGuestImage.bytes, to: raw)
      try Files.setSize(DemoGuestImage.diskSize, of: raw)
      try Files.remove(converted)
      let output = try await Program.run(
        try await imageTools().qemuImg, ["convert", "-f", "raw", "-O", "qcow2", raw, converted],
        environment: ToolEnvironment.entries, inheriting: [lock.descriptor], on: client.loop)
      guard output.succeeded, let found = Files.information(converted) else {
        throw InstanceError.cannotCreateDisk(path: path, why: output.complaint)
      }
      let image = BaseImage(
        name: target.imageName, tag: builtinTag, path: path, size: found.size, url: nil,
        sha256: nil)
      try image.place(converted)
      return image
    }
  }
}
