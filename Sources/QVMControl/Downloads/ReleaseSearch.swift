internal import QMPClient

/// The search for a file in the releases of one repository.
struct ReleaseSearch: Sendable {
  private let client: ReleaseClient
  private let repository: String
  private let curl: Curl
  private var source: ReleaseSource { client.source }

  /// - Throws: ``DownloadError`` if curl is missing.
  init(in repository: String, by client: ReleaseClient) throws {
    self.client = client
    self.repository = repository
    curl = try Curl(client.source, client.limits, on: client.loop)
  }

  /// Finds the first available of several files in the latest release, else in the newest older one
  /// that has any of them.
  ///
  /// The latest release is found by its redirect, which doesn't count against the API's rate limit.
  /// The list of releases comes from the API. If it is unavailable, the known releases are tried
  /// one by one, and there is no digest. If only the redirect fails, the list shows the newest
  /// release.
  ///
  /// - Throws: ``ReleaseError``, ``DownloadError``.
  func find(anyOf names: [String]) async throws -> ReleaseClient.Asset {
    async let listing = client.listing(of: repository, curl)
    let latest = await latest()
    switch await listing {
    case .success(let listing):
      var candidates = listing.releases.flatMap { release in
        names.filter { name in release.assets.contains { $0.name == name } }.map {
          Candidate(name: $0, tag: release.tag)
        }
      }
      if let latest = try latest.tag(wherePossible: true) {
        // The list may be slightly older than the redirect.
        let isListed = listing.releases.contains { $0.tag == latest }
        let own = candidates.filter { $0.tag == latest }
        candidates =
          (isListed ? own : names.map { Candidate(name: $0, tag: latest) })
          + candidates.filter { $0.tag != latest }
      }
      if let asset = try await probe(candidates, listing) { return asset }
      throw ReleaseError.noSuchAsset(
        name: names[0], page: source.page(repository), available: listing.names,
        listingFailure: nil)
    case .failure(let failure):
      let latest = try latest.tag(wherePossible: false)
      let tags =
        [latest].compactMap { $0 } + FallbackReleases.of(repository).filter { $0 != latest }
      let candidates = tags.flatMap { tag in names.map { Candidate(name: $0, tag: tag) } }
      if let asset = try await probe(candidates, nil) { return asset }
      // If there is neither a latest release nor a list, the repository doesn't exist.
      throw ReleaseError.noSuchAsset(
        name: names[0], page: source.page(repository), available: [],
        listingFailure: latest == nil && failure.isAbsent ? nil : failure)
    }
  }

  /// A file that a release may contain.
  private struct Candidate {
    let name: String
    let tag: String
  }

  /// The result of asking for the latest release.
  private enum Latest {
    case answered(String?)
    case failed(any Error)

    /// The tag; nil if there is no release. If the server fails and `wherePossible`, also nil,
    /// because the list is enough.
    func tag(wherePossible: Bool) throws -> String? {
      switch self {
      case .answered(let tag): return tag
      case .failed(let error as DownloadError) where wherePossible && error.status != nil:
        return nil
      case .failed(DownloadError.tooSlow) where wherePossible: return nil
      case .failed(let error): throw error
      }
    }
  }

  private func latest() async -> Latest {
    do { return .answered(try await latestTag()) } catch {
      return .failed(error)
    }
  }

  /// The first candidate that exists.
  private func probe(
    _ candidates: [Candidate], _ listing: ReleaseListing?
  ) async throws -> ReleaseClient.Asset? {
    for candidate in candidates {
      let url = source.asset(candidate.name, tag: candidate.tag, in: repository)
      do {
        return ReleaseClient.Asset(
          name: candidate.name, tag: candidate.tag, url: url,
          head: try await client.retrying { try await curl.head(url) },
          listed: listing?.asset(candidate.name, tag: candidate.tag))
      } catch let error as DownloadError where error.isAbsent {
        continue
      }
    }
    return nil
  }

  /// The tag of the latest release; nil if there is no release.
  private func latestTag() async throws -> String? {
    let url = source.latest(repository)
    let answered: String
    do { answered = try await client.retrying { try await curl.head(url).url } } catch let error
      as DownloadError where error.isAbsent
    {
      return nil
    }
    let parts = answered.split(separator: "/", omittingEmptySubsequences: false)
    if let tag = parts.last.map(String.init), parts.dropLast().suffix(2) == ["releases", "tag"],
      PlainName.isValid(tag)
    {
      return tag
    }
    // Without any release, GitHub redirects to the empty list.
    if answered == source.page(repository) { return nil }
    throw ReleaseError.noLatest(url: url, answered: answered)
  }

  /// Finds the first available of several files in one release.
  ///
  /// - Throws: ``ReleaseError`` `notInRelease`, `noSuchRelease`, `notFound`; ``DownloadError``.
  func find(anyOf names: [String], tag: String) async throws -> ReleaseClient.Asset {
    async let listing = client.listing(of: repository, curl)
    for name in names {
      let url = source.asset(name, tag: tag, in: repository)
      do {
        let head = try await client.retrying { try await curl.head(url) }
        return ReleaseClient.Asset(
          name: name, tag: tag, url: url, head: head,
          listed: (try? await listing.get())?.asset(name, tag: tag))
      } catch let error as DownloadError where error.isAbsent {
        continue
      }
    }
    let (name, page) = (names.first ?? "", source.page(repository))
    switch await listing {
    case .success(let listing):
      let tags = listing.releases.map(\.tag)
      throw tags.contains(tag)
        ? ReleaseError.notInRelease(name: name, tag: tag, page: page)
        : ReleaseError.noSuchRelease(tag: tag, page: page, available: tags)
    case .failure: throw ReleaseError.notFound(name: name, tag: tag, page: page)
    }
  }
}
