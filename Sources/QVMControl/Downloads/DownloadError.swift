/// Something that could not be fetched.
package enum DownloadError: UserFacingError, Hashable {
  case curlMissing
  /// `why` is curl's own words, here and below.
  case unreachable(url: String, why: String)
  case tooSlow(url: String, why: String)
  case insecure(url: String, why: String)
  /// A redirect led to a protocol that isn't allowed, or there was no end of redirects.
  case badRedirect(url: String, why: String)
  case status(Int, url: String)
  /// The same from a server that is to be asked again after so many seconds.
  case unavailable(Int, url: String, retryAfter: Int)
  /// Too many look-ups came from here; GitHub answers again after `until`.
  case rateLimited(url: String, until: Timestamp?)
  /// The connection ended early; the bytes so far are kept.
  case interrupted(url: String, why: String, received: Int, total: Int?)
  /// What came is not what the server had announced a moment before.
  case otherContent(url: String, found: String)
  case wrongSize(url: String, received: Int, expected: Int)
  case wrongDigest(url: String, found: String, expected: String)
  case tooBig(url: String, limit: Int)
  /// `needed` bytes are still missing.
  case diskFull(folder: String, needed: Int?, free: Int?)
  case unwritable(path: String, why: String)
  case failed(url: String, status: String, why: String)

  package var message: String {
    switch self {
    case .curlMissing: "curl is not installed"
    case .unreachable(let url, let why): "cannot reach \(ReleaseSource.host(of: url)): \(why)"
    case .tooSlow(let url, let why): "\(url) does not answer in time: \(why)"
    case .insecure(let url, let why):
      "no secure connection to \(ReleaseSource.host(of: url)): \(why)"
    case .badRedirect(let url, let why): "\(url) redirects to where qvm must not go: \(why)"
    case .status(let status, let url), .unavailable(let status, let url, _):
      "\(url): the server said \(Self.words(for: status))"
    case .rateLimited(let url, let until):
      "\(ReleaseSource.host(of: url)) refuses more look-ups from here"
        + (until.map { " until \($0)" } ?? "")
    case .interrupted(let url, let why, let received, let total):
      "\(url) ended early, after \(received)\(total.map { " of \($0)" } ?? "") bytes: \(why)"
    case .otherContent(let url, let found): "\(url) was announced, and then \(found) was sent"
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

  /// The message without the whole address, where that would hide what matters.
  var brief: String {
    switch self {
    case .tooSlow(let url, _): "\(ReleaseSource.host(of: url)) does not answer in time"
    case .badRedirect(let url, _):
      "\(ReleaseSource.host(of: url)) redirects to where qvm must not go"
    case .status(let status, let url), .unavailable(let status, let url, _):
      "\(ReleaseSource.host(of: url)) said \(Self.words(for: status))"
    case .interrupted(let url, let why, _, _), .failed(let url, _, let why):
      "\(ReleaseSource.host(of: url)): \(why)"
    default: message
    }
  }

  package var advice: String? {
    switch self {
    case .curlMissing: PackageManager.advice(for: .curl)
    case .unreachable:
      "Check the network and, behind a proxy, https_proxy; QVM_BASE_URL can name a mirror."
    case .tooSlow: "Try again later; QVM_BASE_URL can name a mirror."
    case .insecure:
      "Check the clock and, behind a proxy that re-signs, CURL_CA_BUNDLE."
    case .badRedirect: "Check QVM_BASE_URL, and whether a network log-in page is in the way."
    case .unavailable(_, _, let seconds):
      "Wait\(Self.wait(seconds: seconds)) and try again."
    case .status(403, _), .status(429, _):
      "Too many requests may have come from here; wait an hour and try again."
    case .status(401, _): "Check GITHUB_TOKEN, or GH_TOKEN, or unset it."
    case .rateLimited(_, let until):
      "Set GITHUB_TOKEN, which allows more of them, or wait\(until.map(Self.wait) ?? " an hour")."
    case .status(404, _): nil
    case .status(let status, _) where status >= 500: "The server is in trouble; try again later."
    case .status: "Check QVM_BASE_URL."
    case .otherContent: "Try again later; check whether a network log-in page is in the way."
    case .interrupted: "Run the same command again; it goes on from there."
    case .wrongSize, .wrongDigest:
      "Run the same command again; if that doesn't help, something between here and there alters it."
    case .tooBig: "Check QVM_BASE_URL."
    case .diskFull: "Free some space there, or set QVM_CACHE to a folder on another disk."
    case .unwritable: "Check who owns it, or set QVM_CACHE to a folder that you may write to."
    case .failed: nil
    }
  }

  private static func full(_ folder: String, _ needed: Int?, _ free: Int?) -> String {
    let parts = [
      needed.map { "\(ByteCount.text($0)) more are needed" },
      free.map { "\(ByteCount.text($0)) are free" },
    ].compactMap { $0 }
    let why = parts.isEmpty ? "" : ": " + parts.joined(separator: ", ")
    return "the disk of \(folder) has no room\(why)"
  }

  /// How long it is until then, such as ` 12 minutes`.
  private static func wait(until end: Timestamp) -> String {
    wait(seconds: end.seconds - Timestamp.now.seconds)
  }

  private static func wait(seconds: Int) -> String {
    let minutes = max(1, seconds / 60 + (seconds % 60 > 0 ? 1 : 0))
    return " \(minutes) minute\(minutes == 1 ? "" : "s")"
  }

  private static func words(for status: Int) -> String {
    switch status {
    case 401: "401, unauthorized"
    case 403: "403, forbidden"
    case 404: "404, not found"
    case 429: "429, too many requests"
    case 500...599: "\(status), a failure of its own"
    default: String(status)
    }
  }

  /// What a server answered that refused; nil where it didn't get so far.
  var status: Int? { refusal?.status }

  /// What such a server was asked for.
  var url: String? { refusal?.url }

  private var refusal: (status: Int, url: String)? {
    switch self {
    case .status(let status, let url), .unavailable(let status, let url, _): (status, url)
    default: nil
    }
  }

  /// How long the server wants to be left alone, in seconds.
  var retryAfter: Int? {
    if case .unavailable(_, _, let seconds) = self { seconds } else { nil }
  }

  /// Whether another attempt may well succeed.
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
