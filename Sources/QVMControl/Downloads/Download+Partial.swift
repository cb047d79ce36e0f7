internal import QMPClient

/// The contents of a partial file.
///
/// A server may send another version of a file than it has just described, for example if a mirror
/// changes in between. So received bytes are kept only if the headers of the same response identify
/// the requested version. Beside the partial file are those headers, which curl writes before the
/// first byte, and a note. The note identifies the version and says how many bytes were certain
/// before this response. That is enough to continue after a kill at any time.
extension Download {
  private var note: String { "\(partial).json" }
  var headers: String { "\(partial).headers" }

  /// Discards the part of an earlier run's file that isn't certainly of this version.
  func prepare() throws {
    let known = (try? JSONFile.read(note)) ?? nil
    if let certain = known?["certain"]?.int, known == description(certain: certain),
      received <= expected ?? .max
    {
      return try keep(certainBytes(before: certain, .read(headers)))
    }
    try Files.remove(partial)
    try JSONFile.write(description(certain: 0), to: note)
  }

  /// Notes that all bytes so far are certain, before more are received.
  func beginTransfer() throws {
    try JSONFile.write(description(certain: received), to: note)
    try Files.remove(headers)
  }

  private func description(certain: Int) -> JSONValue {
    asset.head.json(url: asset.url, size: expected, certain: certain)
  }

  /// How many bytes of the partial file are certain. `before` is their number before the last
  /// response, and `headers` are that response's.
  private func certainBytes(before: Int, _ headers: Curl.Headers) -> Int {
    let received = received
    if received < before { return 0 }
    // curl itself checks that a range begins at the right offset.
    guard headers.isComplete, headers.status == (before > 0 ? 206 : 200),
      Curl.Head(headers, url: asset.url).vouches(for: asset.head)
    else { return before }
    return received
  }

  /// Discards received bytes that may not be part of the file. Otherwise a web page with status 200
  /// would become the beginning of an image that a later run completes.
  ///
  /// - Parameters:
  ///   - transfer: How it ended.
  ///   - before: The size of the partial file before it.
  /// - Returns: Whether the file is right only if its digest matches.
  /// - Throws: ``DownloadError``, such as `otherContent` if the server sent something else.
  func judge(_ transfer: Curl.Transfer, before: Int) throws -> Bool {
    let certain = certainBytes(before: before, transfer.headers)
    let sent = Curl.Head(transfer.headers, url: asset.url)
    let isOther = received > before && sent.contradicts(asset.head)
    if certain < received {
      if transfer.failure == nil, isWhole, asset.listed?.sha256 != nil {
        return isOther || before > 0
      }
      // If the server identifies no version, accept only a file from a single response.
      if transfer.failure == nil, isWhole, before == 0, !isOther { return false }
      let head = try Files.head(of: partial, count: 512)
      let failure = isOther ? nil : transfer.failure
      try failure == nil ? discard() : keep(certain)
      throw failure
        ?? .otherContent(url: asset.url, found: FileKind.description(of: head))
    }
    if let failure = transfer.failure { throw failure }
    return false
  }

  /// Whether the partial file may be complete, judging by its size.
  private var isWhole: Bool { expected.map { $0 == received } ?? asset.head.isVague }

  /// Truncates the partial file.
  private func keep(_ count: Int) throws {
    if received <= count { return }
    if count == 0 { return try discard() }
    try Files.setSize(count, of: partial)
    digest.restart()
    client.progress(asset.name, .advanced(to: count))
  }

  func discard() throws {
    try Files.remove(partial)
    digest.restart()
    client.progress(asset.name, .advanced(to: 0))
  }
}
