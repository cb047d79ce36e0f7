package import QMPClient
internal import Synchronization

/// Finds files in releases and downloads them into a cache.
package struct ReleaseClient: Sendable {
  package let source: ReleaseSource
  package let cache: Cache
  /// The loop that the calling tasks run on.
  package let loop: EventLoop
  package let progress: ProgressReporter
  /// Shows a sentence to the user, for example what is being waited for.
  package let notify: @Sendable (String) -> Void
  package var limits = TransferLimits()
  private let troubles = Troubles()
  /// The token for GitHub's API; nil for none.
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

  /// A token that is valid in a header; nil for any other text.
  static func token(_ text: String?) -> String? {
    guard let text, text.utf8.count < 1024 else { return nil }
    return text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !#""\"#.utf8.contains($0) }
      ? text : nil
  }

  /// An existing file of a release.
  struct Asset: Sendable {
    let name: String
    let tag: String
    let url: String
    let head: Curl.Head
    /// Its entry in the list of releases; nil if the list is unavailable.
    let listed: ReleaseListing.Asset?
  }

  // MARK: - Finding

  /// Finds a file in the latest release, else in the newest older one that has it.
  ///
  /// - Throws: As ``find(anyOf:in:)``.
  func find(_ name: String, in repository: String) async throws -> Asset {
    try await find(anyOf: [name], in: repository)
  }

  /// Finds the first available of several files in the latest release, else in the newest older one
  /// that has any of them.
  ///
  /// - Throws: As ``ReleaseSearch/find(anyOf:)``.
  func find(anyOf names: [String], in repository: String) async throws -> Asset {
    try await ReleaseSearch(in: repository, by: self).find(anyOf: names)
  }

  /// Finds the first available of several files in one release.
  ///
  /// - Throws: As ``ReleaseSearch/find(anyOf:tag:)``.
  func find(anyOf names: [String], tag: String, in repository: String) async throws -> Asset {
    try await ReleaseSearch(in: repository, by: self).find(anyOf: names, tag: tag)
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
          url: url, status: "not asked", why: error.messageForUser
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

  // MARK: - Trouble that may pass

  /// The hosts whose failure was reported already.
  private final class Troubles: Sendable {
    let reported = Mutex<[String]>([])
  }

  /// Tells the user once for each server that a request to it is retried.
  func notifyOnce(of error: DownloadError) {
    guard let status = error.status, let url = error.url else { return }
    let host = ReleaseSource.host(of: url)
    let isNew = troubles.reported.withLock { reported in
      if reported.contains(host) { return false }
      reported.append(host)
      return true
    }
    if isNew { notify("\(host) answered \(status), retrying") }
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

  // MARK: - One at a time

  /// Makes something that only one process must make. Other processes wait for it and show the
  /// progress of its download.
  ///
  /// - Parameters:
  ///   - name: Its name, which is also the lock's.
  ///   - existing: Returns it if it exists.
  ///   - tag: The release of an existing value, for removing its leftovers; nil to keep them.
  ///   - make: Makes it. Every program that writes for it must inherit the lock.
  /// - Returns: The existing or new value.
  /// - Throws: ``FileError``; what the closures throw; `CancellationError`.
  func once<Value: Sendable>(
    _ name: String, existing: () throws -> Value?, tag: (Value) -> String? = { _ in nil },
    make: (FileLock) async throws -> Value
  ) async throws -> Value {
    if let value = try existing() {
      if let tag = tag(value) { DownloadLeftovers.cleanAfterKill(name, upTo: tag, in: cache) }
      return value
    }
    try Files.makeFolder(cache.downloads)
    let path = "\(cache.downloads)/\(name).lock"
    var hasNotified = false
    var following = FollowedDownload(name, in: cache, progress)
    defer { following.end(complete: false) }
    while true {
      if let lock = try FileLock.attempt(path) {
        // Remove it while it is held. A waiting process then locks a new file and checks again.
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
