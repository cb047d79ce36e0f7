internal import QMPClient

extension BaseImage {
  /// The way of one base image from the releases into the cache.
  struct Release: Sendable {
    let target: Target
    let repository: String
    let client: ReleaseClient
    /// Keeps others away from the files of the download.
    let lock: FileLock
    /// Gives the `qemu-img` to check the image with.
    let imageTools: @Sendable () async throws -> ImageTools

    private var image: String { "\(target.imageName).qcow2" }
    private var bundle: String { ImageBundle.name(of: target.imageName) }

    /// The image of the newest release that has one that can be used here.
    ///
    /// A bundle is used as well as a qcow2 image; where it can't be, the newest qcow2 image is, and
    /// the user hears why.
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

    /// The image of a release that is there already.
    private func existing(_ asset: ReleaseClient.Asset) throws(ImageError) -> BaseImage? {
      let there = all(named: target.imageName, in: client.cache).first { $0.tag == asset.tag }
      guard let there else { return nil }
      // What instances stand on is not replaced behind their backs, not even when damaged.
      if there.isWhole { return there }
      throw .changed(
        path: there.path, .size(Files.information(there.path)?.size ?? 0, expected: there.size))
    }

    /// The image of one release, anew, whatever is in its place.
    ///
    /// - Parameters:
    ///   - tag: The release's.
    ///   - accept: Throws where the image must not get there.
    /// - Returns: The image, in its place.
    /// - Throws: ``ReleaseError`` `notInRelease`; ``ImageError``, ``ArchiveError``,
    ///   ``DownloadError``, ``FileError``; `CancellationError`.
    func again(
      tag: String, accept: (BaseImage) throws -> Void
    ) async throws -> BaseImage {
      try await download(
        try await client.find(anyOf: [image, bundle], tag: tag, in: repository), accept: accept)
    }

    private func fetch(_ asset: ReleaseClient.Asset) async throws -> BaseImage {
      if let there = try existing(asset) { return try await held(there, to: asset) }
      return try await download(asset)
    }

    /// An image that is there, held to the digest that its release names by now.
    private func held(
      _ image: BaseImage, to asset: ReleaseClient.Asset
    ) async throws -> BaseImage {
      switch try await image.held(
        to: asset.listed?.sha256, isRecording: true, on: client.loop)
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

    /// Downloads an image, and puts it into its place once it has been looked through.
    private func download(
      _ asset: ReleaseClient.Asset, accept: (BaseImage) throws -> Void = { _ in }
    ) async throws -> BaseImage {
      let download = Download(asset: asset, client: client, lock: lock)
      let file = try await download.fetch()
      // Only now, so that a download that fails waits for nobody's qemu-img.
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
        // Where its digest vouches for it, it is kept for a qemu-img that works.
        if error is ToolchainError, asset.listed?.sha256 == nil { download.clean() }
        throw error
      }
    }

    /// Removes the records that killed runs were writing; the lock says that nobody is at it.
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
      // What a run that was killed left behind; the lock says that it is nobody's.
      try Files.removeTree(download.unpacked)
      return try await ImageBundle(path: path, name: bundle).image(
        in: download.unpacked, qemuImg: qemuImg, holding: lock, on: client.loop)
    }
  }
}
