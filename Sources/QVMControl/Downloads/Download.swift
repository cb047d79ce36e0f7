internal import QMPClient

/// The download of one file into the cache.
///
/// Its bytes go to a partial file, which survives interruptions and is resumed by a later run. The
/// server's description of the file is kept beside it. If that changes, the download starts over,
/// so that a partial file never mixes two versions.
package struct Download: Sendable {
  let asset: ReleaseClient.Asset
  let client: ReleaseClient
  /// Excludes other processes from the partial file.
  let lock: FileLock
  /// The path of its files without their extensions. The name is the lock's, so the holder of the
  /// lock may change all of them.
  let stem: String
  let digest: StreamingDigest

  init(asset: ReleaseClient.Asset, client: ReleaseClient, lock: FileLock) {
    self.asset = asset
    self.client = client
    self.lock = lock
    stem = "\(client.cache.downloads)/\(Self.name(of: lock))@\(asset.tag)"
    digest = StreamingDigest(of: "\(stem).partial", on: client.loop)
  }

  /// A complete partial file.
  struct Complete: Sendable {
    let path: String
    /// In bytes.
    let size: Int
    /// In lower-case hexadecimal digits; nil if no program could compute it.
    let sha256: String?
  }

  var folder: String { client.cache.downloads }
  var partial: String { "\(stem).partial" }
  /// The folder to unpack the file into.
  var unpacked: String { "\(stem).unpacked" }
  /// Where the installed version is kept until the new one has replaced it.
  var setAside: String { "\(unpacked).old" }
  private var limits: TransferLimits { client.limits }

  /// The size in the list of releases, else the server's, in bytes.
  var expected: Int? { asset.listed?.size ?? asset.head.length }

  var received: Int { Files.information(partial)?.size ?? 0 }

  private static func name(of lock: FileLock) -> Substring {
    Files.lastName(of: lock.path).dropLast(".lock".count)
  }

  /// Removes the files of this and all older downloads of the same file, after the file was
  /// installed.
  func clean() {
    let name = Files.lastName(of: stem).split(separator: "@").first ?? ""
    DownloadLeftovers.clean(String(name), upTo: asset.tag, in: client.cache)
  }

  // MARK: - Fetching

  /// Downloads the missing part, and checks size and digest.
  ///
  /// - Throws: ``DownloadError``; `CancellationError`. The partial file is kept unless it is
  ///   useless.
  func fetch() async throws -> Complete {
    try prepare()
    client.progress(asset.name, .began(done: received, total: expected))
    do {
      async let digested = digest.follow()
      let needsDigest = try await receiveAll()
      digest.complete()
      let complete = try await check(try await digested, needsDigest: needsDigest)
      client.progress(asset.name, .ended(complete: true))
      return complete
    } catch {
      client.progress(asset.name, .ended(complete: false))
      throw error
    }
  }

  /// Compares the size and the digest of what was downloaded with what the release says.
  ///
  /// - Parameters:
  ///   - digested: The digest that was computed while the bytes arrived; nil if there is none.
  ///   - needsDigest: Whether the file is worth nothing without a digest.
  /// - Returns: The file.
  /// - Throws: As ``DownloadChecksum``; the partial file is discarded unless it is only too short.
  private func check(
    _ digested: StreamingDigest.Digest?, needsDigest: Bool
  ) async throws -> Complete {
    let size = received
    let checksum = DownloadChecksum(asset: asset, expectedSize: expected, isRequired: needsDigest)
    do {
      try checksum.check(size: size)
      let sha256 =
        if let digested, digested.size == size {
          digested.sha256
        } else {
          try await FileDigest.sha256(of: partial, on: client.loop)
        }
      try checksum.check(sha256: sha256)
      return Complete(path: partial, size: size, sha256: sha256)
    } catch let error as DownloadError {
      if case .interrupted = error { throw error }
      try discard()
      throw error
    }
  }

  /// Tells the user that a file could not be verified with a digest. For a caller that has accepted
  /// its contents.
  func reportUnverified(_ complete: Complete) {
    guard let why = DownloadChecksum.lack(of: asset, sha256: complete.sha256) else { return }
    client.notify("\(asset.name) of \(asset.tag) is unverified: \(why)")
  }

  /// Receives the missing part, with retries.
  ///
  /// - Returns: As ``judge(_:before:)``.
  private func receiveAll() async throws -> Bool {
    var backoff = Backoff(limits)
    var furthest = received
    while true {
      if let expected, expected > 0, received == expected { return false }
      do {
        try checkSpace()
        let (transfer, before) = try await receive()
        if transfer.isRangeRefused {
          try discard()
          continue
        }
        return try judge(transfer, before: before)
      } catch let error as DownloadError where error.isTransient {
        // As long as there is progress, continue. If the server can't send a range, the bytes up to
        // the earlier size are not progress.
        if received > furthest + progress(before: error) { backoff.reset() }
        furthest = max(furthest, received)
        guard let pause = backoff.pause(after: error) else { throw forUser(error) }
        client.notifyOnce(of: error)
        try await client.loop.sleep(until: .now.advanced(by: pause))
      } catch let error as DownloadError {
        throw forUser(error)
      }
    }
  }

  /// How many bytes are needed to count as progress. A transfer that is too slow for curl must not
  /// count, or it would be retried for ever.
  private func progress(before error: DownloadError) -> Int {
    if case .tooSlow = error { 2 * Curl.slowest * limits.stallSeconds } else { 0 }
  }

  /// Runs curl once and reports the partial file's size meanwhile. Returns also the size before.
  private func receive() async throws -> (Curl.Transfer, before: Int) {
    let curl = try Curl(client.source, limits, on: client.loop)
    let limit = expected ?? limits.largest
    let ifRange = received > 0 ? asset.head.rangeCondition : nil
    if received > 0, ifRange == nil { try discard() }
    try beginTransfer()
    let before = received
    let transfer = try await withThrowingTaskGroup(of: Curl.Transfer?.self) { group in
      group.addTask {
        try await curl.transfer(
          asset.url, to: partial, headers: headers, resumingIf: ifRange, limit: limit,
          holding: lock)
      }
      group.addTask {
        while true {
          try await client.loop.sleep(until: .now.advanced(by: .milliseconds(100)))
          let size = received
          client.progress(asset.name, .advanced(to: size))
          // curl's own limit works only if the server announces a length.
          if size > limit { throw DownloadError.tooBig(url: asset.url, limit: limit) }
        }
      }
      defer { group.cancelAll() }
      let transfer = try await group.next() ?? nil
      client.progress(asset.name, .advanced(to: received))
      // Only the other task returns nil, and it always throws first.
      guard let transfer else { throw CancellationError() }
      return transfer
    }
    return (transfer, before)
  }
}

extension Download {
  /// The free space to leave on the disk, in bytes.
  static let spare = 16 << 20

  /// Checks that there is enough space for the missing part.
  func checkSpace() throws {
    guard let expected, let free = Files.freeSpace(at: folder) else { return }
    let missing = expected - received
    if free < missing + Self.spare {
      throw DownloadError.diskFull(folder: folder, needed: missing, free: free)
    }
  }

  /// The error for the user.
  func forUser(_ error: DownloadError) -> any UserFacingError {
    switch error {
    case .unwritable(_, let why) where ResourceLimit.isReached(by: partial):
      return LimitError(program: "curl", why: why, limit: .fileSize)
    case .unwritable:
      guard let free = Files.freeSpace(at: folder), free < Self.spare else {
        return error
      }
      // The disk became full meanwhile. Running programs need the space more than a later attempt.
      let missing = expected.map { $0 - received }
      try? discard()
      return DownloadError.diskFull(
        folder: folder, needed: missing, free: Files.freeSpace(at: folder) ?? free)
    case .interrupted(let url, let why, let received, _):
      return DownloadError.interrupted(url: url, why: why, received: received, total: expected)
    default: return error
    }
  }
}
