internal import QMPClient

/// A base image that can be pulled: one version of an operating system on one architecture.
package struct ImageOffer: Sendable, Hashable {
  package let operatingSystem: OperatingSystem
  package let version: String
  package let architecture: Architecture
  /// The newest release that has it in a usable format.
  package let tag: String
  /// The asset to download, such as `freebsd-14.2-x86-64.qcow2`.
  package let asset: String
  /// The size of the download, in bytes; nil if unknown.
  package let size: Int?
  /// Whether it exists only as a bundle, and bundles can't be unpacked here.
  package private(set) var needsZstd = false

  fileprivate static func isBundle(_ asset: String) -> Bool {
    asset.hasSuffix(ImageBundle.name(of: ""))
  }

  fileprivate var isBundle: Bool { Self.isBundle(asset) }

  fileprivate var needingZstd: ImageOffer {
    var copy = self
    copy.needsZstd = true
    return copy
  }
}

extension ReleaseListing {
  /// Each version and architecture once, from the newest release that has it in an accepted format.
  fileprivate func offers(
    of operatingSystem: OperatingSystem, release tag: String?,
    accepting: (String) -> Bool = { _ in true }
  ) -> [ImageOffer] {
    var seen: Set<String> = []
    let accepted = releases.filter { tag == nil || $0.tag == tag }
    let offers = accepted.flatMap { release in
      // If an image has two formats, the first one is pulled.
      release.assets.sorted { $0.name < $1.name }.compactMap { asset -> ImageOffer? in
        guard accepting(asset.name),
          let available = ImageName(asset.name, of: operatingSystem),
          operatingSystem.architectures.contains(available.architecture),
          seen.insert("\(available.version) \(available.architecture)").inserted
        else { return nil }
        return ImageOffer(
          operatingSystem: operatingSystem, version: available.version,
          architecture: available.architecture, tag: release.tag, asset: asset.name,
          size: asset.size)
      }
    }
    return offers.sorted { one, other in
      one.version == other.version
        ? one.architecture.rawValue < other.architecture.rawValue
        : VersionOrder.precedes(other.version, one.version)
    }
  }
}

extension ReleaseClient {
  /// The base images of an operating system in the releases, the newest version first. Each version
  /// and architecture occurs once, with the release from which it is pulled.
  ///
  /// Makes one request.
  ///
  /// - Parameters:
  ///   - operatingSystem: The operating system; the demo guest has no images.
  ///   - tag: The only release to look at; nil for all.
  /// - Returns: The images for architectures with a driver.
  /// - Throws: ``DownloadError`` if the list is unavailable; `CancellationError`.
  package func offers(
    of operatingSystem: OperatingSystem, release tag: String? = nil
  ) async throws -> [ImageOffer] {
    guard let repository = operatingSystem.builderRepository else { return [] }
    let listing = try await listing(of: repository, Curl(source, limits, on: loop)).get()
    try Task.checkCancellation()
    let all = listing.offers(of: operatingSystem, release: tag)
    if !all.contains(where: \.isBundle) { return all }
    if await ImageBundle.canUnpack(on: loop) { return all }
    let usable = listing.offers(of: operatingSystem, release: tag) { !ImageOffer.isBundle($0) }
    return all.map { offer in
      let older = usable.first {
        $0.version == offer.version && $0.architecture == offer.architecture
      }
      return older ?? offer.needingZstd
    }
  }

  /// The base images of several operating systems, requested concurrently. A failure of one doesn't
  /// affect the others.
  package func offers(
    of operatingSystems: [OperatingSystem]
  ) async -> [(operatingSystem: OperatingSystem, offers: Result<[ImageOffer], any Error>)] {
    await withTaskGroup(of: (Int, Result<[ImageOffer], any Error>).self) { group in
      for (index, operatingSystem) in operatingSystems.enumerated() {
        group.addTask {
          // Not in the tuple itself: if a `do` returns a tuple with a `try await` in it, the
          // optimizer of Swift 6.3 loses the other element, and the answers would be swapped. `make
          // lint` checks for that.
          let answer: Result<[ImageOffer], any Error>
          do { answer = .success(try await offers(of: operatingSystem)) } catch {
            answer = .failure(error)
          }
          return (index, answer)
        }
      }
      var results: [Int: Result<[ImageOffer], any Error>] = [:]
      for await (index, result) in group { results[index] = result }
      return operatingSystems.enumerated().compactMap { index, operatingSystem in
        results[index].map { (operatingSystem, $0) }
      }
    }
  }
}
