internal import QMPClient

extension BaseImage {
  /// Makes sure that the base image for a target is in the cache.
  ///
  /// An existing one, of any release, is used without any network access, unless `refresh`. It is
  /// checked as before a boot: a changed image is refused.
  ///
  /// - Parameters:
  ///   - target: The target.
  ///   - refresh: Whether to look for a newer release.
  ///   - release: The tag of the required release; nil for any.
  ///   - client: The source, and the cache.
  ///   - imageTools: Provides the `qemu-img` that checks the image. Called only after a download.
  /// - Returns: The installed image.
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
      // Removed meanwhile. The launch checks again and starts over then.
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
      // Named like downloads, so that leftovers of a killed run are removed with theirs.
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
      let output = try await Subprocess.run(
        try await imageTools().qemuImg, ["convert", "-f", "raw", "-O", "qcow2", raw, converted],
        environment: ToolEnvironment.entries, inheriting: [lock.descriptor], on: client.loop)
      guard output.succeeded, let found = Files.information(converted) else {
        throw ImageError.cannotConvert(path: path, why: output.problem)
      }
      let sha256 = try await FileDigest.sha256(of: converted, on: client.loop)
      let image = BaseImage(
        name: target.imageName, tag: builtinTag, path: path, size: found.size, url: nil,
        sha256: sha256, isUnverified: sha256 == nil)
      return try await image.place(converted, on: client.loop)
    }
  }
}

extension BaseImage {
  /// Makes sure that the image of one release for a target is in the cache, complete and unchanged.
  ///
  /// This restores a lost or damaged image under its overlays. So the download replaces it only if
  /// it has the digest in the instances' records. If no instance needs the image, a republished
  /// release is accepted.
  ///
  /// - Parameters:
  ///   - target: The target.
  ///   - tag: The release's tag.
  ///   - client: The source, and the cache.
  ///   - imageTools: As for ``ensure(_:refresh:release:with:imageTools:)``.
  /// - Returns: The installed image.
  /// - Throws: ``ImageError``, ``ReleaseError``, ``DownloadError``, ``FileError``;
  ///   `CancellationError`.
  static func ensure(
    _ target: Target, of tag: String, with client: ReleaseClient,
    imageTools: @escaping @Sendable () async throws -> ImageTools
  ) async throws -> BaseImage {
    let cache = client.cache
    let path = path(target.imageName, tag: tag, in: cache)
    var isWrong = false
    if let image = try await unchanged(path, in: cache, on: client.loop) {
      let published = await PublishedDigests(of: [image], with: client)
      try Task.checkCancellation()
      switch try await image.verified(
        against: published.digest(of: image), isRecording: true, on: client.loop)
      {
      case .unknown: return image
      case .right(let verified): return verified
      // The file differs from the release: download it again.
      case .wrong: isWrong = true
      }
    }
    guard let repository = target.operatingSystem.builderRepository else {
      guard tag == builtinTag else {
        throw ReleaseError.builtIn(name: target.imageName)
      }
      return try await ensureBuiltin(target, anew: true, with: client, imageTools: imageTools)
    }
    return try await client.once("\(target.imageName).qcow2", existing: { nil }) { lock in
      // The previous holder of the lock may have downloaded it.
      if let image = try await unchanged(path, in: cache, on: client.loop),
        !isWrong || !image.isVerifiable
      {
        return image
      }
      let (digests, users) = try await known(path, in: cache, on: client.loop)
      let release = Release(
        target: target, repository: repository, client: client, lock: lock, imageTools: imageTools)
      return try await release.again(tag: tag) { image in
        if users.isEmpty || digests.isEmpty { return }
        if let found = image.sha256, digests.contains(found) { return }
        throw ImageError.republished(
          name: image.name, tag: tag, found: image.sha256, expected: digests.sorted()[0],
          users: users)
      }
    }
  }

  /// The image at a path if it exists, matches its record and has the digest in the instances'
  /// records; else nil.
  private static func unchanged(
    _ path: String, in cache: Cache, on loop: EventLoop
  ) async throws -> BaseImage? {
    guard let image = at(path), image.isRecorded else { return nil }
    do {
      let checked = try await image.checked(on: loop)
      let digests = try ImageUsers(in: cache).digests(of: path)
      return digests.isEmpty || checked.sha256.map(digests.contains) ?? false ? checked : nil
    } catch ImageError.changed {
      return nil
    }
  }

  /// The known digests of the image at a path, and the instances that need it.
  private static func known(
    _ path: String, in cache: Cache, on loop: EventLoop
  ) async throws -> (digests: Set<String>, users: [String]) {
    let users = try ImageUsers(in: cache)
    let (names, digests) = (users.of(path), users.digests(of: path))
    if !digests.isEmpty { return (digests, names) }
    let record = (try? JSONFile.read(recordPath(path))) ?? nil
    if let digest = record?["sha256"]?.string, !digest.isEmpty { return ([digest], names) }
    // Without any record, the file's own digest is the only reference. The file may be intact.
    guard !names.isEmpty, record == nil, Files.exists(path) else { return ([], names) }
    let digest = try await FileDigest.sha256(of: path, on: loop)
    return (digest.map { [$0] } ?? [], names)
  }
}
