/// The environment of the programs that qvm runs for itself: curl, tar, qemu-img.
///
/// It has only what they need. Variables such as `TAR_OPTIONS` or `POSIXLY_CORRECT` change the
/// meaning of arguments, and a locale changes the text of messages.
enum ToolEnvironment {
  private static let kept = [
    "PATH",
    // Proxies, in the spellings that curl knows.
    "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY",
    // Certificate authorities.
    "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "NIX_SSL_CERT_FILE",
  ]

  static var entries: [String] {
    kept.compactMap { name in Host.environment(name).map { "\(name)=\($0)" } } + ["LC_ALL=C"]
  }
}
