extension ReleaseClient {
  /// Finds one of several files in one release, whatever others there are; the first of them that
  /// is there.
  ///
  /// - Throws: ``ReleaseError`` `notInRelease`, `noSuchRelease`; ``DownloadError``.
  func find(anyOf names: [String], tag: String, in repository: String) async throws -> Asset {
    let curl = try Curl(source, limits, on: loop)
    async let listing = listing(of: repository, curl)
    for name in names {
      let url = source.asset(name, tag: tag, in: repository)
      do {
        let head = try await patiently { try await curl.head(url) }
        return Asset(
          name: name, tag: tag, url: url, head: head,
          listed: (try? await listing.get())?.asset(name, tag: tag))
      } catch let error as DownloadError where error.isAbsent {
        continue
      }
    }
    let releases = (try? await listing.get())?.releases.map(\.tag) ?? []
    if !releases.isEmpty, !releases.contains(tag) {
      throw ReleaseError.noSuchRelease(
        tag: tag, page: source.page(repository), available: releases)
    }
    throw ReleaseError.notInRelease(
      name: names.first ?? "", tag: tag, page: source.page(repository))
  }
}
