/// A release, or a file of one, that can't be found.
package enum ReleaseError: UserFacingError, Hashable {
  case badBaseURL(String)
  /// The mirror's address names a user or a password.
  case credentials
  case badTag(String)
  /// No release has the file. `available` is what all releases together have; empty where their
  /// list could not be had, for the reason `listingFailure`.
  case noSuchAsset(
    name: String, page: String, available: [String], listingFailure: DownloadError?)
  case notInRelease(name: String, tag: String, page: String)
  /// Without the list of releases it can't be told whether there is such a release.
  case notFound(name: String, tag: String, page: String)
  /// `available` are the tags that there are, the newest first.
  case noSuchRelease(tag: String, page: String, available: [String])
  /// It is built into qvm, and in no release.
  case builtIn(name: String)
  /// The address of the latest release led to something else, such as a log-in page.
  case noLatest(url: String, answered: String)

  /// Makes sure that a word of the user's can be the tag of a release.
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
    case .badTag(let tag): "'\(tag)' is no tag of a release"
    case .badBaseURL(let url): "QVM_BASE_URL='\(url)' is not an address of a mirror"
    case .credentials: "QVM_BASE_URL names a user or a password, which qvm doesn't keep secret"
    case .noSuchAsset(let name, let page, _, nil): "no release on \(page) has \(name)"
    // What isn't in the list isn't there; without it that can't be told.
    case .noSuchAsset(let name, _, _, let failure?):
      "no release that is known has \(name), and the list of all could not be had:"
        + " \(failure.brief)"
    case .notInRelease(let name, let tag, let page):
      "the release \(tag) on \(page) has no \(name)"
    case .notFound(let name, let tag, let page):
      "\(name) of a release \(tag) is not on \(page)"
    case .noSuchRelease(let tag, let page, _): "there is no release \(tag) on \(page)"
    case .builtIn(let name): "\(name) is built into qvm, and no release has it"
    case .noLatest(let url, let answered): "\(url) leads to \(answered), which is no release"
    }
  }

  package var advice: String? {
    switch self {
    case .badTag: "Use one such as v0.15.0; 'qvm images --available' lists them."
    case .badBaseURL: "Use an address such as https://mirror.example/cross-platform-actions."
    case .credentials:
      "Use a mirror that asks for none, such as a server of your own that adds them; GITHUB_TOKEN "
        + "is for GitHub only, and in a path '%40' stands for '@'."
    case .noSuchAsset(_, let page, _, let failure): Self.advice(page: page, failure)
    case .notInRelease, .notFound: "'qvm images --available' lists what the releases have."
    case .noSuchRelease(_, let page, let available):
      available.isEmpty
        ? "See \(page) for what there is."
        : "Use one of \(available.prefix(8).joined(separator: ", "))."
    case .builtIn: "Run the command again without --release."
    case .noLatest:
      "Check QVM_BASE_URL, and whether a network log-in page is in the way."
    }
  }

  private static func advice(page: String, _ failure: DownloadError?) -> String {
    switch failure {
    case nil, .status?: "See \(page) for what there is."
    case let failure?: failure.advice ?? "See \(page) for what there is."
    }
  }
}
