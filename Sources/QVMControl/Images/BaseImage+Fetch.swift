internal import QMPClient

extension BaseImage {
  /// Makes sure that the base image for a target is in the cache.
  ///
  /// One that is there, of whatever release, is used without any network, unless `refresh` asks
  /// for the newest release that has it. It is looked at as before a boot: one that has changed is
  /// refused.
  ///
  /// - Parameters:
  ///   - target: What the image is for.
  ///   - refresh: Whether to look for a newer release.
  ///   - release: The tag of the only release that will do; nil for any.
  ///   - client: Where to look.
  ///   - imageTools: Gives the `qemu-img` to check the image with; asked only when one was
  ///     downloaded.
  /// - Returns: The image, in its place.
  /// - Throws: ``ImageError``, ``ReleaseError``, ``DownloadError``, ``FileError``;
  ///   `CancellationError`.
  package static func ensure(
    _ target: Target, refresh: Bool = false, release: String? = nil, with client: ReleaseClient,
    imageTools: @escaping @Sendable () async throws -> ImageTools
  ) async throws -> BaseImage {
    if let release {
      return try await ensure(target, of: release, with: client, imageTools: imageTools)
    }
    let image: BaseImage
    if let repository = target.operatingSystem.builderRepository {
      image = try await client.once(
        "\(target.imageName).qcow2", existing: { refresh ? nil : find(target, in: client.cache) },
        tag: \.tag
      ) { lock in
        let release = Release(
          target: target, repository: repository, client: client, lock: lock,
          imageTools: imageTools)
        return try await release.newest()
      }
    } else {
      image = try await ensureBuiltin(target, with: client, imageTools: imageTools)
    }
    do { return try await image.checked(on: client.loop) } catch ImageError.changed(_, .gone) {
      // Removed since: whoever wants to boot from it looks again, and then begins anew.
      return image
    }
  }

  // MARK: - The demo guest

  static func ensureBuiltin(
    _ target: Target, anew: Bool = false, with client: ReleaseClient,
    imageTools: () async throws -> ImageTools
  ) async throws -> BaseImage {
    let path = path(target.imageName, tag: builtinTag, in: client.cache)
    return try await client.once(
      target.imageName, existing: { anew ? nil : find(target, in: client.cache) }, tag: \.tag
    ) { lock in
      // Named as downloads are, so that what a run leaves that is killed goes with theirs.
      let stem = "\(client.cache.downloads)/\(target.imageName)@\(builtinTag)"
      let raw = "\(stem).raw"
      let converted = "\(stem).qcow2"
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
        throw ImageError.cannotConvert(path: path, why: output.complaint)
      }
      let sha256 = try await FileDigest.sha256(of: converted, on: client.loop)
      let image = BaseImage(
        name: target.imageName, tag: builtinTag, path: path, size: found.size, url: nil,
        sha256: sha256, isUnverified: sha256 == nil)
      return try await image.place(converted, on: client.loop)
    }
  }
}
