internal import QMPClient

extension ReleaseClient {
  /// Finds a file in the latest release, else in the newest older one that has it.
  ///
  /// - Throws: As ``find(anyOf:in:)``.
  func find(_ name: String, in repository: String) async throws -> Asset {
    try await find(anyOf: [name], in: repository)
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
  func find(anyOf names: [String], in repository: String) async throws -> Asset {
    let curl = try Curl(source, limits, on: loop)
    async let listing = listing(of: repository, curl)
    let latest = await latest(of: repository, curl)
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
      if let asset = try await probe(candidates, repository, listing, curl) { return asset }
      throw ReleaseError.noSuchAsset(
        name: names[0], page: source.page(repository), available: listing.names,
        listingFailure: nil)
    case .failure(let failure):
      let latest = try latest.tag(wherePossible: false)
      let tags =
        [latest].compactMap { $0 } + FallbackReleases.of(repository).filter { $0 != latest }
      let candidates = tags.flatMap { tag in names.map { Candidate(name: $0, tag: tag) } }
      if let asset = try await probe(candidates, repository, nil, curl) { return asset }
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

  private func latest(of repository: String, _ curl: Curl) async -> Latest {
    do { return .answered(try await latestTag(of: repository, curl)) } catch {
      return .failed(error)
    }
  }

  /// The first candidate that exists.
  private func probe(
    _ candidates: [Candidate], _ repository: String, _ listing: ReleaseListing?, _ curl: Curl
  ) async throws -> Asset? {
    for candidate in candidates {
      let url = source.asset(candidate.name, tag: candidate.tag, in: repository)
      do {
        return Asset(
          name: candidate.name, tag: candidate.tag, url: url,
          head: try await retrying { try await curl.head(url) },
          listed: listing?.asset(candidate.name, tag: candidate.tag))
      } catch let error as DownloadError where error.isAbsent {
        continue
      }
    }
    return nil
  }

  /// The tag of the latest release; nil if there is no release.
  private func latestTag(of repository: String, _ curl: Curl) async throws -> String? {
    let url = source.latest(repository)
    let answered: String
    do { answered = try await retrying { try await curl.head(url).url } } catch let error
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

  /// The list of a repository's releases, or the error.
  func listing(
    of repository: String, _ curl: Curl
  ) async -> Result<ReleaseListing, DownloadError> {
    let url = source.listing(repository)
    do {
      let text = try await retrying(skipping: { $0.status == nil }) {
        try await Self.listing(at: url, token: source.hasAPI ? token : nil, curl)
      }
      if let listing = ReleaseListing(text) { return .success(listing) }
      return .failure(
        .failed(url: url, status: "unexpected answer", why: "it is not a list of releases"))
    } catch let error as DownloadError {
      return .failure(error)
    } catch {
      return .failure(
        .failed(
          url: url, status: "not asked", why: (error as? any UserFacingError)?.message ?? "\(error)"
        ))
    }
  }

  /// Requests the list as text. If the token is refused, retries without it: it may have expired,
  /// and the list is public.
  static func listing(at url: String, token: String?, _ curl: Curl) async throws -> String {
    do {
      return try await curl.text(url, token: token)
    } catch DownloadError.status(401, _) where token != nil {
      return try await curl.text(url, token: nil)
    }
  }

  /// Retries after transient failures, except skipped ones.
  func retrying<Value: Sendable>(
    skipping isSkipped: (DownloadError) -> Bool = { _ in false },
    _ body: () async throws -> Value
  ) async throws -> Value {
    var backoff = Backoff(limits, isLookUp: true)
    while true {
      do { return try await body() } catch let error as DownloadError {
        guard !isSkipped(error), let pause = backoff.pause(after: error) else { throw error }
        notifyOnce(of: error)
        try await loop.sleep(until: .now.advanced(by: pause))
      }
    }
  }
}

extension ReleaseClient {
  /// Finds the first available of several files in one release.
  ///
  /// - Throws: ``ReleaseError`` `notInRelease`, `noSuchRelease`, `notFound`; ``DownloadError``.
  func find(anyOf names: [String], tag: String, in repository: String) async throws -> Asset {
    let curl = try Curl(source, limits, on: loop)
    async let listing = listing(of: repository, curl)
    for name in names {
      let url = source.asset(name, tag: tag, in: repository)
      do {
        let head = try await retrying { try await curl.head(url) }
        return Asset(
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
