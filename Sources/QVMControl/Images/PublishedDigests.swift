internal import QMPClient

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
      images.filter(\.isVerifiable).compactMap { $0.target?.operatingSystem.builderRepository })
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
