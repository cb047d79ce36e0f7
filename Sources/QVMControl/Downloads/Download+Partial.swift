internal import QMPClient

/// What a partial holds.
///
/// A server may send another version of a file than it has just told of, as a mirror does that
/// changes in between. So what came is gone on with only if the headers of the very answer that
/// brought it name the version that is asked for. Beside the partial there are those headers, which
/// curl writes before the first byte, and a note of that version with how many bytes were certain
/// before this answer. That is enough to tell after a kill at any moment.
extension Download {
  private var note: String { "\(partial).json" }
  var headers: String { "\(partial).headers" }

  /// Discards what an earlier run left as far as it isn't certain that it is part of this version.
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

  /// Notes that all there is so far is certain, before more comes.
  func beginTransfer() throws {
    try JSONFile.write(description(certain: received), to: note)
    try Files.remove(headers)
  }

  private func description(certain: Int) -> JSONValue {
    asset.head.json(url: asset.url, size: expected, certain: certain)
  }

  /// How many bytes of the partial are certain, where so many were before the last answer, and
  /// these are its headers.
  private func certainBytes(before: Int, _ headers: Curl.Headers) -> Int {
    let received = received
    if received < before { return 0 }
    // curl itself sees to it that a part begins where it should.
    guard headers.isComplete, headers.status == (before > 0 ? 206 : 200),
      Curl.Head(headers, url: asset.url).vouches(for: asset.head)
    else { return before }
    return received
  }

  /// Discards what came as far as it may be no part of the file: a web page with status 200 would
  /// become the beginning of the image that a later run completes.
  ///
  /// - Parameters:
  ///   - transfer: How it ended.
  ///   - before: How many bytes were there before.
  /// - Returns: Whether what is there is right only if its digest is.
  /// - Throws: ``DownloadError``, `otherContent` where something else came.
  func judge(_ transfer: Curl.Transfer, before: Int) throws -> Bool {
    let certain = certainBytes(before: before, transfer.headers)
    let sent = Curl.Head(transfer.headers, url: asset.url)
    let isOther = received > before && sent.contradicts(asset.head)
    if certain < received {
      if transfer.failure == nil, isWhole, asset.listed?.sha256 != nil {
        return isOther || before > 0
      }
      // From a server that names no versions only a file in one piece can be of one.
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

  /// Whether the partial may be all of the file, by its length.
  private var isWhole: Bool { expected.map { $0 == received } ?? asset.head.isVague }

  /// Cuts the partial off.
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
