package import QMPClient

/// Finds files in releases and downloads them into a cache.
package struct ReleaseClient: Sendable {
  package let source: ReleaseSource
  package let cache: Cache
  /// The loop that the calling tasks run on.
  package let loop: EventLoop
  package let progress: ProgressReporter
  /// Takes sentences for the user: what is waited for, what is done instead of what was asked.
  package let notify: @Sendable (String) -> Void
  package var limits = TransferLimits()
  /// For look-ups in GitHub's API; nil for none.
  package var token: String?

  package init(
    _ source: ReleaseSource, cache: Cache, progress: ProgressReporter,
    notify: @escaping @Sendable (String) -> Void, on loop: EventLoop
  ) {
    self.source = source
    self.cache = cache
    self.progress = progress
    self.notify = notify
    self.loop = loop
    token = Self.token(Host.environment("GITHUB_TOKEN") ?? Host.environment("GH_TOKEN"))
  }

  /// A token that can stand in a header; nil for anything that would end it.
  static func token(_ text: String?) -> String? {
    guard let text, text.utf8.count < 1024 else { return nil }
    return text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !#""\"#.utf8.contains($0) }
      ? text : nil
  }

  /// A file of a release that is there.
  struct Asset: Sendable {
    let name: String
    let tag: String
    let url: String
    let head: Curl.Head
    /// What the list of releases says about it; nil where that couldn't be had.
    let listed: ReleaseListing.Asset?
  }

  // MARK: - Finding

  /// Finds a file: in the latest release, else in the newest of the older ones that has it.
  ///
  /// The latest release is found by its redirect, which costs nothing of the API's quota. The list
  /// of releases comes from the API and is done without where it can't be had: the known releases
  /// are tried one by one then, and there is no digest.
  ///
  /// - Throws: ``ReleaseError``, ``DownloadError``.
  func find(_ name: String, in repository: String) async throws -> Asset {
    let curl = try Curl(source, limits, on: loop)
    async let listing = listing(of: repository, curl)
    let latest = try await latestTag(of: repository, curl)
    switch await listing {
    case .success(let listing):
      var tags = listing.releases.filter { $0.assets.contains { $0.name == name } }.map(\.tag)
      if let latest,
        !listing.releases.contains(where: { $0.tag == latest }) || tags.contains(latest)
      {
        tags = [latest] + tags.filter { $0 != latest }
      }
      if let asset = try await probe(tags, name, repository, listing, curl) { return asset }
      throw ReleaseError.noSuchAsset(
        name: name, page: source.page(repository), available: listing.names, listingFailure: nil)
    case .failure(let failure):
      let known = KnownTags.of(repository).filter { $0 != latest }
      let tags = [latest].compactMap { $0 } + known
      if let asset = try await probe(tags, name, repository, nil, curl) { return asset }
      throw ReleaseError.noSuchAsset(
        name: name, page: source.page(repository), available: [], listingFailure: failure)
    }
  }

  /// The first of the releases that has the file.
  private func probe(
    _ tags: [String], _ name: String, _ repository: String, _ listing: ReleaseListing?, _ curl: Curl
  ) async throws -> Asset? {
    for tag in tags {
      let url = source.asset(name, tag: tag, in: repository)
      do {
        return Asset(
          name: name, tag: tag, url: url, head: try await patiently { try await curl.head(url) },
          listed: listing?.asset(name, tag: tag))
      } catch let error as DownloadError where error.isAbsent {
        continue
      }
    }
    return nil
  }

  /// The tag of the latest release; nil where there is no release.
  private func latestTag(of repository: String, _ curl: Curl) async throws -> String? {
    let url = source.latest(repository)
    let answered: String
    do { answered = try await patiently { try await curl.head(url).url } } catch let error
      as DownloadError where error.isAbsent
    {
      return nil
    }
    let parts = answered.split(separator: "/", omittingEmptySubsequences: false)
    if let tag = parts.last.map(String.init), parts.dropLast().suffix(2) == ["releases", "tag"],
      ReleaseSource.isPlainName(tag)
    {
      return tag
    }
    // Where there are no releases, GitHub leads to their empty list.
    if answered == source.page(repository) { return nil }
    throw ReleaseError.noLatest(url: url, answered: answered)
  }

  private func listing(
    of repository: String, _ curl: Curl
  ) async -> Result<ReleaseListing, DownloadError> {
    let url = source.listing(repository)
    do {
      let text = try await curl.text(url, token: source.hasAPI ? token : nil)
      if let listing = ReleaseListing(text) { return .success(listing) }
      return .failure(
        .failed(url: url, status: "no list of releases", why: "not what GitHub answers"))
    } catch let error as DownloadError {
      return .failure(error)
    } catch {
      return .failure(.failed(url: url, status: "not asked", why: "\(error)"))
    }
  }

  /// Tries again after a failure that may pass.
  private func patiently<Value: Sendable>(
    _ body: () async throws -> Value
  ) async throws -> Value {
    var pause = limits.pause
    for _ in 1..<max(min(limits.attempts, 3), 1) {
      do { return try await body() } catch let error as DownloadError where error.isTransient {
        // Nobody waits a minute to hear that there is no network.
        if case .unreachable = error { throw error }
        try await loop.sleep(until: .now.advanced(by: pause))
        pause *= 2
      }
    }
    return try await body()
  }

  // MARK: - One at a time

  /// Makes something that must be made once, while every other process waits for it and shows how
  /// far its download is.
  ///
  /// - Parameters:
  ///   - name: What is made; names the lock.
  ///   - existing: Looks whether it is there.
  ///   - make: Makes it; every program that writes for it gets the lock too.
  /// - Returns: What is there, or was made.
  /// - Throws: ``FileError``; what the closures throw; `CancellationError`.
  func once<Value: Sendable>(
    _ name: String, existing: () throws -> Value?, make: (FileLock) async throws -> Value
  ) async throws -> Value {
    if let value = try existing() { return value }
    try Files.makeFolder(cache.downloads)
    let path = "\(cache.downloads)/\(name).lock"
    var hasNotified = false
    var following = Download.Following(name, in: cache, progress)
    defer { following.end(complete: false) }
    while true {
      if let lock = try FileLock.attempt(path) {
        // While it is still held: whoever waits locks a new file and looks again.
        defer { try? Files.remove(path) }
        let value = try existing()
        following.end(complete: value != nil)
        if let value { return value }
        return try await make(lock)
      }
      if !hasNotified { notify("waiting for another qvm that is downloading \(name)") }
      hasNotified = true
      following.look()
      try await loop.sleep(until: .now.advanced(by: .milliseconds(100)))
      if let value = try existing() {
        following.end(complete: true)
        return value
      }
    }
  }
}
