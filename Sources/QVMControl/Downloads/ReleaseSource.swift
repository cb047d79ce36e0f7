/// The location of the releases: GitHub, or a mirror with the same layout.
///
/// Below the base, `<repository>/releases/latest` redirects to `…/releases/tag/<tag>`, and the
/// files are `<repository>/releases/download/<tag>/<asset>`. A mirror may have the list of releases
/// as `<repository>/releases.json`, in the format of GitHub's API.
package struct ReleaseSource: Sendable, Hashable, CustomStringConvertible {
  /// The URL, without a slash at its end.
  package let base: String

  package static let github = ReleaseSource(checked: "https://github.com/cross-platform-actions")

  private init(checked base: String) { self.base = base }

  /// - Throws: `badBaseURL` if it isn't an `http` or `https` URL, or has a query or spaces;
  ///   `credentials` if it may contain a password.
  package init(base: String) throws(ReleaseError) {
    // Credentials would appear in records, messages and command lines. Check this first: an error
    // about another part would show them too.
    if base.utf8.contains(UInt8(ascii: "@")) { throw .credentials }
    var base = base
    while base.hasSuffix("/") { base.removeLast() }
    let scheme = ["https://", "http://"].first { base.lowercased().hasPrefix($0) }
    let isPlain = base.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !#""'\?#{}"#.utf8.contains($0) }
    guard let scheme, base.count > scheme.count, isPlain,
      !base.dropFirst(scheme.count).hasPrefix("/")
    else { throw .badBaseURL(base) }
    self.init(checked: base)
  }

  /// The source that `QVM_BASE_URL` names, else GitHub.
  package static func fromEnvironment() throws(ReleaseError) -> ReleaseSource {
    guard let base = Host.environment("QVM_BASE_URL") else { return .github }
    return try ReleaseSource(base: base)
  }

  package var description: String { base }

  /// The protocols that curl may use, also after a redirect: `http` only if the base has it.
  var protocols: String { base.lowercased().hasPrefix("http://") ? "=http,https" : "=https" }

  func latest(_ repository: String) -> String { "\(base)/\(repository)/releases/latest" }

  func asset(_ name: String, tag: String, in repository: String) -> String {
    "\(base)/\(repository)/releases/download/\(tag)/\(name)"
  }

  /// The web page of the releases.
  package func page(_ repository: String) -> String { "\(base)/\(repository)/releases" }

  private static let githubPrefix = "https://github.com/"

  /// Whether the list of releases comes from GitHub's API, which accepts a token.
  var hasAPI: Bool { base.hasPrefix(Self.githubPrefix) }

  /// The URL of the list of releases.
  func listing(_ repository: String) -> String {
    guard hasAPI else { return "\(base)/\(repository)/releases.json" }
    let owner = base.dropFirst(Self.githubPrefix.count)
    return "https://api.github.com/repos/\(owner)/\(repository)/releases?per_page=100"
  }

  /// The host in a URL.
  static func host(of url: String) -> String {
    let rest = url.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: true)
    return rest.count > 1 ? String(rest[1]) : url
  }
}
