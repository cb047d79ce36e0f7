internal import QMPClient

/// Verifying an image later, if its release had no digest when it was downloaded.
extension BaseImage {
  /// The result.
  enum Holding: Sendable {
    /// The release has no digest for it, or the list is unavailable.
    case unknown
    /// It has the release's digest, which is recorded now if the cache can be written.
    case right(BaseImage)
    case wrong(found: String, expected: String)
  }

  /// Whether it was downloaded without a digest and can be verified later: its file must be a
  /// release's asset, byte for byte. No release has the digest of an image from a bundle.
  var isDoubtful: Bool {
    (isUnverified || sha256 == nil)
      && url.map { Files.lastName(of: $0) == "\(name).qcow2" } ?? false
  }

  /// Compares the image with its release's digest.
  ///
  /// - Parameters:
  ///   - expected: The release's digest; nil if unknown.
  ///   - computed: The digest of its bytes, if it was just computed.
  ///   - isRecording: Whether to record the result.
  ///   - loop: The loop that the calling task runs on.
  /// - Returns: The result.
  /// - Throws: ``FileError`` if it can't be recorded; `CancellationError`.
  func held(
    to expected: String?, computed: String? = nil, isRecording: Bool, on loop: EventLoop
  ) async throws -> Holding {
    guard isDoubtful, let expected, let seen = Files.information(path).map({ FileStamp($0) }) else {
      return .unknown
    }
    var found = computed
    if found == nil, stamp == seen { found = sha256 }
    if found == nil { found = try await FileDigest.sha256(of: path, on: loop) }
    guard let found else { return .unknown }
    if found != expected { return .wrong(found: found, expected: expected) }
    let verified = BaseImage(self, stamp: seen, sha256: found, isVerified: true)
    return .right(
      isRecording ? try await verified.recorded(as: seen, sha256: found, on: loop) : verified)
  }
}

/// The digests of releases, requested once for each repository.
package struct PublishedDigests: Sendable {
  private var listings: [String: ReleaseListing] = [:]
  /// Why lists of releases were unavailable.
  package private(set) var failures: [DownloadError] = []

  /// Requests the digests for images that were downloaded without one. Makes no request if there
  /// are none.
  ///
  /// - Parameters:
  ///   - images: The images.
  ///   - client: The source.
  package init(of images: [BaseImage], with client: ReleaseClient) async {
    let repositories = Set(
      images.filter(\.isDoubtful).compactMap { $0.target?.operatingSystem.builderRepository })
    for repository in repositories.sorted() {
      do throws(DownloadError) {
        let curl = try Curl(client.source, client.limits, on: client.loop)
        listings[repository] = try await client.listing(of: repository, curl).get()
      } catch {
        failures.append(error)
      }
    }
  }

  /// The digest of an image in its release; nil if unknown.
  func digest(of image: BaseImage) -> String? {
    guard let repository = image.target?.operatingSystem.builderRepository else { return nil }
    return listings[repository]?.asset("\(image.name).qcow2", tag: image.tag)?.sha256
  }
}
