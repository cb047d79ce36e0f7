/// A release, or a file of one, that can't be found.
package enum ReleaseError: QVMFailure, Hashable {
  case badBaseURL(String)
  /// No release has the file. `available` is what all releases together have; empty where their
  /// list could not be had, for the reason `listingFailure`.
  case noSuchAsset(
    name: String, page: String, available: [String], listingFailure: DownloadError?)
  /// The address of the latest release led to something else, such as a log-in page.
  case noLatest(url: String, answered: String)

  package var message: String {
    switch self {
    case .badBaseURL(let url): "QVM_BASE_URL='\(url)' is not an address of a mirror"
    case .noSuchAsset(let name, let page, _, nil): "no release on \(page) has \(name)"
    // What isn't in the list isn't there; without it that can't be told.
    case .noSuchAsset(let name, let page, _, let failure?):
      "none of the releases that are known on \(page) has \(name), and the list of all could "
        + "not be had: \(failure.message)"
    case .noLatest(let url, let answered): "\(url) leads to \(answered), which is no release"
    }
  }

  package var advice: String? {
    switch self {
    case .badBaseURL: "Use an address such as https://mirror.example/cross-platform-actions."
    case .noSuchAsset(_, let page, _, let failure): Self.advice(page: page, failure)
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
