internal import QMPClient

/// A base image that can be pulled: one version of an operating system on one architecture.
package struct ImageOffer: Sendable, Hashable {
  package let operatingSystem: OperatingSystem
  package let version: String
  package let architecture: Architecture
  /// The newest release that has it in a form that can be used here.
  package let tag: String
  /// What is downloaded, such as `freebsd-14.2-x86-64.qcow2`.
  package let asset: String
  /// Of the download, in bytes; nil where the release doesn't say.
  package let size: Int?
  /// Whether all that there is of it is a bundle, and nothing here unpacks one.
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
  /// Each version for each of its architectures once, of the newest release that has it in a form
  /// that will do.
  fileprivate func offers(
    of operatingSystem: OperatingSystem, accepting: (String) -> Bool = { _ in true }
  ) -> [ImageOffer] {
    var seen: Set<String> = []
    let offers = releases.flatMap { release in
      // Of two forms of the same image the first is the one that is pulled.
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
  /// Every base image of an operating system that the releases have: the newest version first, and
  /// each version for each of its architectures once, of the release that it is pulled from.
  ///
  /// One question to the list of releases.
  ///
  /// - Parameter operatingSystem: One whose images are released; the demo guest has none.
  /// - Returns: What there is for the architectures that there are drivers for.
  /// - Throws: ``DownloadError`` where the list can't be had; `CancellationError`.
  package func offers(of operatingSystem: OperatingSystem) async throws -> [ImageOffer] {
    guard let repository = operatingSystem.builderRepository else { return [] }
    let listing = try await listing(of: repository, Curl(source, limits, on: loop)).get()
    try Task.checkCancellation()
    let all = listing.offers(of: operatingSystem)
    if !all.contains(where: \.isBundle) { return all }
    if await ImageBundle.canUnpack(on: loop) { return all }
    let usable = listing.offers(of: operatingSystem) { !ImageOffer.isBundle($0) }
    return all.map { offer in
      let older = usable.first {
        $0.version == offer.version && $0.architecture == offer.architecture
      }
      return older ?? offer.needingZstd
    }
  }

  /// The same of several operating systems, asked side by side; one that can't be told doesn't
  /// hide the others.
  package func offers(
    of operatingSystems: [OperatingSystem]
  ) async -> [(operatingSystem: OperatingSystem, offers: Result<[ImageOffer], any Error>)] {
    await withTaskGroup(of: (Int, Result<[ImageOffer], any Error>).self) { group in
      for (index, operatingSystem) in operatingSystems.enumerated() {
        group.addTask {
          // Before it goes into the tuple: of one that a `do` returns with a `try await` in it, the
          // optimizer of Swift 6.3 loses the other part, and the answers would take each other's
          // places. `make lint` looks for that form.
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
