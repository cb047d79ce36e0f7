/// Chooses the versions that requests mean. Asks for the list of an operating system's releases once at
/// most.
package struct TargetChoice {
  private let client: ReleaseClient
  private let release: String?
  private var lists: [OperatingSystem: Result<[ImageOffer], DownloadError>] = [:]

  /// - Parameters:
  ///   - client: Looks up the releases.
  ///   - release: The tag of the only release to choose from; nil for all.
  package init(with client: ReleaseClient, release: String? = nil) {
    self.client = client
    self.release = release
  }

  /// The target that a request means: the newest version that a release has, or without the list of
  /// releases the newest one in the cache. What was chosen is reported.
  ///
  /// - Throws: ``ImageError`` `noSuchVersion`; ``DownloadError`` if nothing in the cache fits either;
  ///   `CancellationError`.
  package mutating func target(_ request: TargetRequest) async throws -> Target {
    if let target = request.target { return target }
    switch try await offers(of: request.operatingSystem) {
    case .success(let offers):
      let own = offers.filter { $0.architecture == request.architecture }
      let usable = own.filter { !$0.needsZstd }
      guard
        let version = request.newest(of: usable.map(\.version))
          ?? request.newest(of: own.map(\.version))
      else {
        // The search in that release says that the image isn't there.
        if release != nil, case .part = request.version, let target = request.anyTarget {
          return target
        }
        throw try noSuchVersion(request, offers)
      }
      let target = try request.target(version)
      client.notify("using \(target.text), the newest\(request.scope) in the releases")
      return target
    case .failure(let failure): return try withoutList(request, failure)
    }
  }

  /// Makes sure that a release has the image of a target, as far as the list of releases is available.
  ///
  /// - Throws: ``ImageError`` `noSuchVersion`; `CancellationError`.
  package mutating func check(_ target: Target) async throws {
    guard target.operatingSystem.builderRepository != nil,
      BaseImage.find(target, in: client.cache) == nil,
      case .success(let offers) = try await offers(of: target.operatingSystem)
    else { return }
    let isThere = offers.contains {
      $0.version == target.version && $0.architecture == target.architecture
    }
    if !isThere { throw try noSuchVersion(target, offers) }
  }

  private mutating func offers(
    of system: OperatingSystem
  ) async throws -> Result<[ImageOffer], DownloadError> {
    if let known = lists[system] { return known }
    var list: Result<[ImageOffer], DownloadError>
    do { list = .success(try await client.offers(of: system, release: release)) } catch let error
      as DownloadError
    {
      list = .failure(error)
    }
    lists[system] = list
    return list
  }

  private func noSuchVersion(_ request: TargetRequest, _ offers: [ImageOffer]) throws -> any Error {
    guard let target = request.anyTarget else { return CancellationError() }
    return try noSuchVersion(target, offers)
  }

  private func noSuchVersion(_ target: Target, _ offers: [ImageOffer]) throws -> ImageError {
    let system = target.operatingSystem
    return .noSuchVersion(
      target, available: offers.map { ImageName($0.version, $0.architecture) },
      page: client.source.page(system.builderRepository ?? ""))
  }

  private func withoutList(_ request: TargetRequest, _ failure: DownloadError) throws -> Target {
    let cached = request.cachedVersions(in: client.cache)
    // A server that only refuses the list, as GitHub does after many requests, still has the images. A
    // mirror without a list may have few, so there the cache comes first.
    let isCacheEnough = failure.isAbsent && request.newest(of: cached) != nil
    let known =
      failure.isRefusal && !isCacheEnough
      ? FallbackReleases.versions(of: request.operatingSystem, on: request.architecture) : []
    guard let version = request.newest(of: cached + known) else { throw failure }
    let target = try request.target(version)
    let place = cached.contains(version) ? "in the cache" : "that this qvm knows"
    client.notify(
      "using \(target.text), the newest\(request.scope) \(place): the releases can't be looked up (\(failure.brief))"
    )
    return target
  }
}

extension TargetRequest {
  /// The versions in the cache for the operating system and the architecture, the oldest first.
  package func cachedVersions(in cache: Cache) -> [String] {
    var versions: Set<String> = []
    for image in BaseImage.list(in: cache) where image.isWhole {
      if let name = ImageName("\(image.name).qcow2", of: operatingSystem),
        name.architecture == architecture, (try? target(name.version)) != nil
      {
        versions.insert(name.version)
      }
    }
    return versions.sorted(by: VersionOrder.precedes)
  }

  /// Of what the chosen version is the newest, behind those words.
  fileprivate var scope: String {
    if case .part(let version) = version { return " \(version)" }
    return ""
  }
}

extension Target {
  /// As people say it: `freebsd 14.2 for x86-64`.
  fileprivate var text: String {
    "\(operatingSystem.rawValue) \(version) for \(architecture.rawValue)"
  }
}
