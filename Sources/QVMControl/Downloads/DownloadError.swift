/// A download that failed.
package enum DownloadError: UserFacingError, Hashable {
  case curlMissing
  /// `why` is curl's own message, here and below.
  case unreachable(url: String, why: String)
  case tooSlow(url: String, why: String)
  case insecure(url: String, why: String)
  /// A redirect led to a protocol that is not allowed, or there were too many redirects.
  case badRedirect(url: String, why: String)
  case status(Int, url: String)
  /// The same, from a server that wants no other request for `retryAfter` seconds.
  case unavailable(Int, url: String, retryAfter: Int)
  /// This address sent too many requests; GitHub answers again after `until`.
  case rateLimited(url: String, until: Timestamp?)
  /// The connection ended early; the bytes so far are kept.
  case interrupted(url: String, why: String, received: Int, total: Int?)
  /// The server sent something else than it had announced a moment before.
  case otherContent(url: String, found: String)
  case wrongSize(url: String, received: Int, expected: Int)
  case wrongDigest(url: String, found: String, expected: String)
  case tooBig(url: String, limit: Int)
  /// `needed` more bytes are required.
  case diskFull(folder: String, needed: Int?, free: Int?)
  case unwritable(path: String, why: String)
  case failed(url: String, status: String, why: String)

  package var message: String {
    switch self {
    case .curlMissing: "curl is not installed"
    case .unreachable(let url, let why): "cannot reach \(ReleaseSource.host(of: url)): \(why)"
    case .tooSlow(let url, let why): "\(url) did not respond in time: \(why)"
    case .insecure(let url, let why):
      "no secure connection to \(ReleaseSource.host(of: url)): \(why)"
    case .badRedirect(let url, let why):
      "\(url) redirects to an address that qvm does not follow: \(why)"
    case .status(let status, let url), .unavailable(let status, let url, _):
      "\(url): the server answered \(Self.text(for: status))"
    case .rateLimited(let url, let until):
      "\(ReleaseSource.host(of: url)) accepts no more requests from this address"
        + (until.map { " until \($0)" } ?? "")
    case .interrupted(let url, let why, let received, let total):
      "\(url) broke off after \(received)\(total.map { " of \($0)" } ?? "") bytes: \(why)"
    case .otherContent(let url, let found):
      "\(url): the server sent \(found) instead of the file that it announced"
    case .wrongSize(let url, let received, let expected):
      "\(url) has \(received) bytes instead of \(expected)"
    case .wrongDigest(let url, let found, let expected):
      "\(url) has the SHA-256 \(found), but its release says \(expected)"
    case .tooBig(let url, let limit): "\(url) has more than \(ByteCount.text(limit))"
    case .diskFull(let folder, let needed, let free): Self.full(folder, needed, free)
    case .unwritable(let path, let why): "cannot write \(path): \(why)"
    case .failed(let url, let status, let why): "cannot download \(url): \(why) (\(status))"
    }
  }

  /// The message without the whole address, if that would hide the cause.
  var brief: String {
    switch self {
    case .tooSlow(let url, _): "\(ReleaseSource.host(of: url)) did not respond in time"
    case .badRedirect(let url, _):
      "\(ReleaseSource.host(of: url)) redirects to an address that qvm does not follow"
    case .status(let status, let url), .unavailable(let status, let url, _):
      "\(ReleaseSource.host(of: url)) answered \(Self.text(for: status))"
    case .interrupted(let url, let why, _, _), .failed(let url, _, let why):
      "\(ReleaseSource.host(of: url)): \(why)"
    default: message
    }
  }

  package var advice: String? {
    switch self {
    case .curlMissing: PackageManager.advice(for: .curl)
    case .unreachable:
      "Check the network and, behind a proxy, https_proxy. QVM_BASE_URL can name a mirror."
    case .tooSlow: "Try again later. QVM_BASE_URL can name a mirror."
    case .insecure:
      "Check this machine's clock and, behind a proxy that replaces certificates, CURL_CA_BUNDLE."
    case .badRedirect: "Check QVM_BASE_URL, and whether this network shows a login page first."
    case .unavailable(_, _, let seconds):
      "Wait\(Self.wait(seconds: seconds)) and try again."
    case .status(403, _), .status(429, _):
      "This address may have sent too many requests. Wait an hour and try again."
    case .status(401, _): "Check GITHUB_TOKEN or GH_TOKEN, or unset it."
    case .rateLimited(_, let until):
      "Set GITHUB_TOKEN to allow more requests, or wait\(until.map(Self.wait) ?? " an hour")."
    case .status(404, _): nil
    case .status(let status, _) where status >= 500: "The server has a problem. Try again later."
    case .status: "Check QVM_BASE_URL."
    case .otherContent: "Try again later, and check whether this network shows a login page first."
    case .interrupted: "Run the same command again to resume the download."
    case .wrongSize, .wrongDigest:
      "Run the same command again. If it fails again, a proxy or the mirror alters the file."
    case .tooBig: "Check QVM_BASE_URL."
    case .diskFull: "Free some space there, or set QVM_CACHE to a folder on another disk."
    case .unwritable:
      "Check its owner and permissions, or set QVM_CACHE to a folder that you may write to."
    case .failed: nil
    }
  }

  private static func full(_ folder: String, _ needed: Int?, _ free: Int?) -> String {
    let parts = [
      needed.map { "\(ByteCount.text($0)) more needed" },
      free.map { "\(ByteCount.text($0)) free" },
    ].compactMap { $0 }
    let why = parts.isEmpty ? "" : ": " + parts.joined(separator: ", ")
    return "the disk of \(folder) is full\(why)"
  }

  /// The time until then, such as ` 12 minutes`.
  private static func wait(until end: Timestamp) -> String {
    wait(seconds: end.seconds - Timestamp.now.seconds)
  }

  private static func wait(seconds: Int) -> String {
    let minutes = max(1, seconds / 60 + (seconds % 60 > 0 ? 1 : 0))
    return " \(minutes) minute\(minutes == 1 ? "" : "s")"
  }

  private static func text(for status: Int) -> String {
    switch status {
    case 401: "401 (unauthorized)"
    case 403: "403 (forbidden)"
    case 404: "404 (not found)"
    case 429: "429 (too many requests)"
    case 500...599: "\(status) (server error)"
    default: String(status)
    }
  }

  /// The HTTP status with which a server refused; nil for other failures.
  var status: Int? { refusal?.status }

  /// The URL that such a server refused.
  var url: String? { refusal?.url }

  private var refusal: (status: Int, url: String)? {
    switch self {
    case .status(let status, let url), .unavailable(let status, let url, _): (status, url)
    default: nil
    }
  }

  /// Whether the server was reached, and refused the request.
  var isRefusal: Bool {
    if case .rateLimited = self { return true }
    return status != nil
  }

  /// How long to wait before the next request to the server, in seconds.
  var retryAfter: Int? {
    if case .unavailable(_, _, let seconds) = self { seconds } else { nil }
  }

  /// Whether a retry may succeed.
  var isTransient: Bool {
    switch self {
    case .unreachable, .tooSlow, .insecure, .interrupted, .otherContent, .unavailable: true
    case .status(let status, _): status == 408 || status == 429 || status >= 500
    default: false
    }
  }

  /// Whether the server has no such file.
  var isAbsent: Bool {
    switch self {
    case .status(404, _), .status(410, _): true
    default: false
    }
  }
}
