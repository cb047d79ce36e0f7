internal import QMPClient

/// The releases of a repository and their files, in the order of GitHub's API: newest first.
struct ReleaseListing: Sendable {
  struct Asset: Sendable, Hashable {
    let name: String
    /// In bytes.
    let size: Int?
    /// The SHA-256 in lower-case hexadecimal digits; nil for files from before mid-2025.
    let sha256: String?
  }

  struct Release: Sendable {
    let tag: String
    let assets: [Asset]
  }

  /// Without drafts and pre-releases.
  let releases: [Release]

  /// Reads the response of `GET /repos/OWNER/REPOSITORY/releases`; nil for anything else.
  init?(_ text: String) {
    guard let items = (try? JSONValue(parsing: text))?.array else { return nil }
    releases = items.compactMap { item in
      guard let tag = item["tag_name"]?.string, PlainName.isValid(tag),
        item["draft"]?.bool != true, item["prerelease"]?.bool != true
      else { return nil }
      return Release(tag: tag, assets: (item["assets"]?.array ?? []).compactMap(Asset.init))
    }
  }

  func asset(_ name: String, tag: String) -> Asset? {
    releases.first { $0.tag == tag }?.assets.first { $0.name == name }
  }

  /// The names of all files of all releases, without duplicates, the newest release first.
  var names: [String] {
    var seen: Set<String> = []
    return releases.flatMap(\.assets).map(\.name).filter { seen.insert($0).inserted }
  }
}

extension ReleaseListing.Asset {
  fileprivate init?(_ json: JSONValue) {
    guard let name = json["name"]?.string, PlainName.isValid(name) else { return nil }
    self.name = name
    size = json["size"]?.int
    let digest = json["digest"]?.string?.lowercased() ?? ""
    let digits = digest.dropFirst("sha256:".count)
    let isDigest =
      digest.hasPrefix("sha256:") && digits.utf8.count == 64 && digits.allSatisfy(\.isHexDigit)
    sha256 = isDigest ? String(digits) : nil
  }
}
