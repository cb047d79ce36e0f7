/// Whether a downloaded file has the size and the SHA-256 that its release names.
struct DownloadChecksum: Sendable {
  let asset: ReleaseClient.Asset
  /// In bytes; nil if nothing names it.
  let expectedSize: Int?
  /// Whether the file is worth nothing without a digest.
  let isRequired: Bool

  /// Compares the size.
  ///
  /// - Parameter size: The file's, in bytes.
  /// - Throws: ``DownloadError`` `interrupted` if bytes are missing; `wrongSize`.
  func check(size: Int) throws(DownloadError) {
    guard let expectedSize else { return }
    if size < expectedSize {
      throw .interrupted(
        url: asset.url, why: "the server sent no more", received: size, total: expectedSize)
    }
    if size > expectedSize {
      throw .wrongSize(url: asset.url, received: size, expected: expectedSize)
    }
  }

  /// Compares the digest.
  ///
  /// - Parameter sha256: The file's, in lower-case hexadecimal digits; nil if no program could compute it.
  /// - Throws: ``DownloadError`` `otherContent`, `wrongDigest`.
  func check(sha256: String?) throws(DownloadError) {
    if isRequired, sha256 == nil {
      throw .otherContent(url: asset.url, found: "another version")
    }
    if let listed = asset.listed?.sha256, let sha256, sha256 != listed {
      throw .wrongDigest(url: asset.url, found: sha256, expected: listed)
    }
  }

  /// Why a file could not be verified with a digest; nil if it was.
  static func lack(of asset: ReleaseClient.Asset, sha256: String?) -> String? {
    if asset.listed?.sha256 == nil { return "no digest of it is known" }
    if sha256 != nil { return nil }
    let names = FileDigest.programs.map(\.0)
    return "\(names.dropLast().joined(separator: ", ")) and \(names.last ?? "") are all missing"
  }
}
