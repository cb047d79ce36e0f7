extension ReleaseClient {
  /// Finds one of several files in one release, whatever others there are; the first of them that
  /// is there.
  ///
  /// - Throws: ``ReleaseError`` `notInRelease`, `noSuchRelease`, `notFound`;
  ///   ``DownloadError``.
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
    let (name, page) = (names.first ?? "", source.page(repository))
    switch await listing {
    case .success(let listing):
      let tags = listing.releases.map(\.tag)
      throw tags.contains(tag)
        ? ReleaseError.notInRelease(name: name, tag: tag, page: page)
        : ReleaseError.noSuchRelease(tag: tag, page: page, available: tags)
    case .failure: throw ReleaseError.notFound(name: name, tag: tag, page: page)
    }
  }
}
