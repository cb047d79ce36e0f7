/// A release, or a file of one, that cannot be found.
package enum ReleaseError: UserFacingError, Hashable {
  case badBaseURL(String)
  /// The mirror's address names a user or a password.
  case credentials
  case badTag(String)
  /// No release has the file. `available` lists the files of all releases; it is empty if that list
  /// could not be downloaded because of `listingFailure`.
  case noSuchAsset(
    name: String, page: String, available: [String], listingFailure: DownloadError?)
  case notInRelease(name: String, tag: String, page: String)
  /// Without the list of releases qvm cannot tell whether there is such a release.
  case notFound(name: String, tag: String, page: String)
  /// `available` are the existing tags, the newest first.
  case noSuchRelease(tag: String, page: String, available: [String])
  /// It is built into qvm, and in no release.
  case builtIn(name: String)
  /// The address of the latest release led to something else, such as a log-in page.
  case noLatest(url: String, answered: String)

  /// Checks that an argument can be the tag of a release.
  ///
  /// - Throws: `badTag`.
  package static func check(tag: String) throws(ReleaseError) {
    if !PlainName.isValid(tag) { throw .badTag(tag) }
  }

  package var exitStatus: ExitStatus {
    switch self {
    case .badTag, .badBaseURL, .credentials: .usage
    default: .failed
    }
  }

  package var message: String {
    switch self {
    case .badTag(let tag): "'\(tag)' is not a valid release tag"
    case .badBaseURL(let url): "QVM_BASE_URL='\(url)' is not a valid address of a mirror"
    case .credentials:
      "QVM_BASE_URL contains a user name or a password, which qvm cannot keep secret"
    case .noSuchAsset(let name, let page, _, nil): "no release on \(page) has \(name)"
    // Without the list of releases the file may exist nevertheless.
    case .noSuchAsset(let name, _, _, let failure?):
      "no known release has \(name), and the list of all releases could not be downloaded:"
        + " \(failure.brief)"
    case .notInRelease(let name, let tag, let page):
      "the release \(tag) on \(page) has no \(name)"
    case .notFound(let name, let tag, let page):
      "\(name) of a release \(tag) is not on \(page)"
    case .noSuchRelease(let tag, let page, _): "there is no release \(tag) on \(page)"
    case .builtIn(let name): "\(name) is built into qvm and is not part of any release"
    case .noLatest(let url, let answered): "\(url) leads to \(answered), which is not a release"
    }
  }

  package var advice: String? {
    switch self {
    case .badTag: "Use one such as v0.15.0; 'qvm images --available' lists them."
    case .badBaseURL: "Use an address such as https://mirror.example/cross-platform-actions."
    case .credentials:
      "Use a mirror that needs no login, such as a proxy of your own that adds it. In a path, write "
        + "'%40' for '@'. GITHUB_TOKEN is sent to GitHub only."
    case .noSuchAsset(_, let page, _, let failure): Self.advice(page: page, failure)
    case .notInRelease, .notFound: "'qvm images --available' lists the images of all releases."
    case .noSuchRelease(_, let page, let available):
      available.isEmpty
        ? "See \(page) for the releases."
        : "Use one of \(available.prefix(8).joined(separator: ", "))."
    case .builtIn: "Run the command again without --release."
    case .noLatest:
      "Check QVM_BASE_URL, and whether this network shows a login page first."
    }
  }

  private static func advice(page: String, _ failure: DownloadError?) -> String {
    switch failure {
    case nil, .status?: "See \(page) for the available files."
    case let failure?: failure.advice ?? "See \(page) for the available files."
    }
  }
}
