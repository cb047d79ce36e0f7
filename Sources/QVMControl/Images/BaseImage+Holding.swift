internal import QMPClient

/// An image that nothing vouched for when it was fetched, once its release names its digest.
extension BaseImage {
  /// What became of it.
  enum Holding: Sendable {
    /// The release names no digest of it, or that can't be told.
    case unknown
    /// It has the digest that its release names, which is on record now where the cache takes it.
    case right(BaseImage)
    case wrong(found: String, expected: String)
  }

  /// Whether it was fetched without being held to a digest, and may be held to one later: as a file of
  /// a release, byte for byte. What came out of a bundle has a digest of its own that nobody names.
  var isDoubtful: Bool {
    (isUnverified || sha256 == nil)
      && url.map { Files.lastName(of: $0) == "\(name).qcow2" } ?? false
  }

  /// Holds the image to the digest that its release names.
  ///
  /// - Parameters:
  ///   - expected: The digest; nil where none is known.
  ///   - computed: The digest of its bytes, if it has just been taken.
  ///   - isRecording: Whether to put it on record.
  ///   - loop: The loop that the calling task runs on.
  /// - Returns: What came of it.
  /// - Throws: ``FileError`` where it can't be recorded; `CancellationError`.
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

/// The digests that releases name, looked up once for each repository.
package struct PublishedDigests: Sendable {
  private var listings: [String: ReleaseListing] = [:]
  /// Why a list of releases could not be had.
  package private(set) var failures: [DownloadError] = []

  /// Asks for the digests of the images that were fetched without; asks nobody where there are none.
  ///
  /// - Parameters:
  ///   - images: The images.
  ///   - client: Where to look.
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

  /// The digest that an image's release names for it; nil where it names none.
  func digest(of image: BaseImage) -> String? {
    guard let repository = image.target?.operatingSystem.builderRepository else { return nil }
    return listings[repository]?.asset("\(image.name).qcow2", tag: image.tag)?.sha256
  }
}
