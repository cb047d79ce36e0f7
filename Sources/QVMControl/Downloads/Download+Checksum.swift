/// Whether a download has the size and the SHA-256 that its release names.
extension Download {
  /// Compares the size and the digest of what was downloaded with what the release says.
  ///
  /// - Parameters:
  ///   - digested: The digest that was computed while the bytes arrived; nil if there is none.
  ///   - needsDigest: Whether the file is worth nothing without a digest.
  /// - Returns: The file.
  /// - Throws: ``DownloadError`` `interrupted`, `wrongSize`, `otherContent`, `wrongDigest`; the partial
  ///   file is discarded unless it is only too short.
  func check(
    _ digested: StreamingDigest.Digest?, needsDigest: Bool
  ) async throws -> Complete {
    let size = received
    if let expected, size < expected {
      throw DownloadError.interrupted(
        url: asset.url, why: "the server sent no more", received: size, total: expected)
    }
    if let expected, size > expected {
      try discard()
      throw DownloadError.wrongSize(url: asset.url, received: size, expected: expected)
    }
    let sha256 =
      if let digested, digested.size == size {
        digested.sha256
      } else {
        try await FileDigest.sha256(of: partial, on: client.loop)
      }
    if needsDigest, sha256 == nil {
      try discard()
      throw DownloadError.otherContent(url: asset.url, found: "another version")
    }
    if let listed = asset.listed?.sha256, let sha256, sha256 != listed {
      try discard()
      throw DownloadError.wrongDigest(url: asset.url, found: sha256, expected: listed)
    }
    return Complete(path: partial, size: size, sha256: sha256)
  }

  /// Tells the user that a file could not be verified with a digest. For a caller that has accepted
  /// its contents.
  func reportUnverified(_ complete: Complete) {
    let why: String
    if asset.listed?.sha256 == nil {
      why = "no digest of it is known"
    } else if complete.sha256 == nil {
      let names = FileDigest.programs.map(\.0)
      why = "\(names.dropLast().joined(separator: ", ")) and \(names.last ?? "") are all missing"
    } else {
      return
    }
    client.notify("\(asset.name) of \(asset.tag) is unverified: \(why)")
  }
}
