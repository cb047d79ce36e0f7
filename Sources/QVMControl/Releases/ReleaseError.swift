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
    case .noSuchAsset(let name, let page, _, _): "no release on \(page) has \(name)"
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

  static func advice(page: String, _ failure: DownloadError?) -> String {
    switch failure {
    case .status(403, _)?, .status(429, _)?:
      "GitHub refuses more look-ups from here for now; set GITHUB_TOKEN, or see \(page)."
    default: "See \(page) for what there is."
    }
  }
}
