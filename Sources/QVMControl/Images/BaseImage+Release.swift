internal import QMPClient

extension BaseImage {
  /// Gets one base image from the releases into the cache.
  struct Release: Sendable {
    let target: Target
    let repository: String
    let client: ReleaseClient
    /// Excludes other processes from the files of the download.
    let lock: FileLock
    /// Provides the `qemu-img` that checks the image.
    let imageTools: @Sendable () async throws -> ImageTools

    private var image: String { "\(target.imageName).qcow2" }
    private var bundle: String { ImageBundle.name(of: target.imageName) }

    /// The image of the newest release that has a usable one.
    ///
    /// A bundle is used like a qcow2 image. If that fails, the newest qcow2 image is used, and a
    /// notice says why.
    func newest() async throws -> BaseImage {
      let asset = try await find([image, bundle])
      if asset.name == image { return try await fetch(asset) }
      if let there = try existing(asset) { return there }
      let failure: any UserFacingError
      if await ImageBundle.canUnpack(on: client.loop) {
        do { return try await fetch(asset) } catch let error as ArchiveError {
          failure = error
        } catch let error as ImageError {
          failure = error
        }
      } else {
        failure = ImageError.zstdMissing(name: bundle, tag: asset.tag)
      }
      let older: ReleaseClient.Asset
      do { older = try await client.find(image, in: repository) } catch is ReleaseError {
        throw failure
      }
      client.notify("using the image of \(older.tag) instead: \(failure.message)")
      return try await fetch(older)
    }

    private func find(_ names: [String]) async throws -> ReleaseClient.Asset {
      do {
        return try await client.find(anyOf: names, in: repository)
      } catch ReleaseError.noSuchAsset(_, let page, let names, nil) {
        var seen: Set<ImageName> = []
        let available = names.compactMap { ImageName($0, of: target.operatingSystem) }
        throw ImageError.noSuchVersion(
          target, available: available.filter { seen.insert($0).inserted }, page: page)
      }
    }

    /// The existing image of a release; nil if there is none.
    private func existing(_ asset: ReleaseClient.Asset) throws(ImageError) -> BaseImage? {
      let there = all(named: target.imageName, in: client.cache).first { $0.tag == asset.tag }
      guard let there else { return nil }
      // An image under instances is not replaced silently, even if it is damaged.
      if there.isWhole { return there }
      throw .changed(
        path: there.path, .size(Files.information(there.path)?.size ?? 0, expected: there.size))
    }

    /// Downloads the image of one release again, whatever is in its place.
    ///
    /// - Parameters:
    ///   - tag: The release's tag.
    ///   - accept: Throws if the image must not be installed.
    /// - Returns: The installed image.
    /// - Throws: ``ReleaseError`` `notInRelease`; ``ImageError``, ``ArchiveError``,
    ///   ``DownloadError``, ``FileError``; `CancellationError`.
    func again(
      tag: String, accept: (BaseImage) throws -> Void
    ) async throws -> BaseImage {
      try await download(
        try await client.find(anyOf: [image, bundle], tag: tag, in: repository), accept: accept)
    }

    private func fetch(_ asset: ReleaseClient.Asset) async throws -> BaseImage {
      if let there = try existing(asset) { return try await verified(there, against: asset) }
      return try await download(asset)
    }

    /// Verifies an existing image with the digest that its release has by now.
    private func verified(
      _ image: BaseImage, against asset: ReleaseClient.Asset
    ) async throws -> BaseImage {
      switch try await image.verified(
        against: asset.listed?.sha256, isRecording: true, on: client.loop)
      {
      case .unknown: return image
      case .right(let verified):
        client.notify(
          "\(asset.name) of \(asset.tag) is now verified, since its release names a digest")
        return verified
      case .wrong(let found, let expected):
        throw ImageError.notAsReleased(
          path: image.path, tag: asset.tag, found: found, expected: expected)
      }
    }

    /// Downloads, checks and installs an image.
    private func download(
      _ asset: ReleaseClient.Asset, accept: (BaseImage) throws -> Void = { _ in }
    ) async throws -> BaseImage {
      let download = Download(asset: asset, client: client, lock: lock)
      let file = try await download.fetch()
      // Only now, so that a failed download doesn't have to wait for qemu-img.
      let tools = try await imageTools()
      do {
        let isBundle = asset.name == bundle
        let path =
          isBundle
          ? try await unpacked(file.path, download, qemuImg: tools.qemuImg) : file.path
        try BaseImage.checkHeader(of: path, name: asset.name)
        try await BaseImage.check(path, name: asset.name, with: tools, on: client.loop)
        let image = BaseImage(
          name: target.imageName, tag: asset.tag,
          path: BaseImage.path(target.imageName, tag: asset.tag, in: client.cache),
          size: Files.information(path)?.size ?? file.size, url: asset.url,
          sha256: isBundle
            ? try await FileDigest.sha256(of: path, on: client.loop) : file.sha256,
          isUnverified: asset.listed?.sha256 == nil || file.sha256 == nil)
        try accept(image)
        clean(beside: image.path)
        let placed = try await image.place(path, on: client.loop)
        download.reportUnverified(file)
        download.clean()
        return placed
      } catch let error as ImageError {
        download.clean()
        throw error
      } catch let error as ArchiveError where error != .tarMissing {
        download.clean()
        throw error
      } catch {
        try? Files.removeTree(download.unpacked)
        // If the download was verified by a digest, keep it for a working qemu-img.
        if error is ToolchainError, asset.listed?.sha256 == nil { download.clean() }
        throw error
      }
    }

    /// Removes the temporary records of killed runs. The lock is held, so no other process is
    /// writing one.
    private func clean(beside path: String) {
      let folder = Files.parent(of: path)
      for entry in Files.list(folder) where entry.hasPrefix(".\(target.imageName).json.") {
        try? Files.remove("\(folder)/\(entry)")
      }
    }

    private func unpacked(
      _ path: String, _ download: Download, qemuImg: String
    ) async throws -> String {
      client.notify("unpacking \(bundle)")
      // The lock is held, so any existing folder was left behind by a killed run.
      try Files.removeTree(download.unpacked)
      return try await ImageBundle(path: path, name: bundle).image(
        in: download.unpacked, qemuImg: qemuImg, holding: lock, on: client.loop)
    }
  }
}
