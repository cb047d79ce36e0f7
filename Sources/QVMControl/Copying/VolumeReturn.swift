internal import QMPClient

/// Copies back what a command has changed in a volume.
struct VolumeReturn: Sendable {
  let arrival: CommandFiles.Arrival
  let transfer: GuestTransfer
  let excluded: [FilePattern]

  /// What arrived in the staging folder.
  private struct Arrived: Sendable {
    let summary: TarExtractor.Summary
    let isWhole: Bool
  }

  /// Fetches the changes into a folder beside their places, and moves them when all are there.
  ///
  /// - Throws: ``CopyError``, ``TarError``, ``FileError``; `CancellationError`. Nothing is changed on this
  ///   host then.
  func run() async throws -> CopyReport {
    let volume = arrival.volume
    let token = Randomness.hexadecimal(bytes: 8)
    let script = ChangesScript(copy: arrival.copy, token: token, volume: volume)
    let folder = volume.isFolder ? volume.path : Files.parent(of: volume.path)
    let staging = "\(folder)/.qvm-\(token)"
    do throws(FileError) { try Files.makePrivateFolder(staging) } catch {
      throw CopyError.host(error)
    }
    defer { try? Files.removeTree(staging) }
    var options = TarExtractor.Options()
    let excluded = self.excluded
    options.rename = { name in
      let path = CopyFromGuest.plain(name)
      let isFolder = name.last == UInt8(ascii: "/")
      return CopyFromGuest.isExcluded(path, isFolder: isFolder, excluded) ? nil : path
    }
    let settings = options
    let outcome = try await transfer.run(script.text, token: token, .fromGuest) { input, stop in
      var reader = TarReader(from: input, stop: stop)
      var extractor = try TarExtractor(into: staging, options: settings)
      do { return Arrived(summary: try extractor.extract(&reader), isWhole: true) } catch {
        guard GuestTransfer.isEndOfOther(error) else { throw error }
        return Arrived(summary: extractor.summary, isWhole: false)
      }
    }
    if outcome.reports.contains("gone") {
      throw CopyError.guest(.missing(volume.guest.text), name: transfer.name)
    }
    guard case .exited(let status) = outcome.end, status != 255 else {
      if case .failure(let error) = outcome.result, !GuestTransfer.isEndOfOther(error) {
        throw error
      }
      throw CopyError.lost(
        name: transfer.name, hasEnded: false,
        why: outcome.messages.last ?? outcome.end.description)
    }
    let arrived = try outcome.result.get()
    guard arrived.isWhole else { throw TarError.truncated }
    let placed = try await BlockingWork { try place(from: staging, in: folder, token) }.result()
      .get()
    var report = placed
    report.bytes = arrived.summary.bytes
    report.add(arrived.summary.remarks)
    if status != 0 {
      let words = outcome.messages.isEmpty ? ["exit status \(status)"] : outcome.messages
      report.losses += words.map { "\(transfer.name): \($0)" }
    }
    return report
  }

  /// Moves what has arrived. Blocks.
  private func place(
    from staging: String, in folder: String, _ token: String
  ) throws -> CopyReport {
    func lines(_ kind: String) -> [String] {
      let file = "\(staging)/\(ChangesScript.list(kind, token: token))"
      let text = (try? Files.read(file, limit: 1 << 28)).map { String(decoding: $0, as: UTF8.self) }
      try? Files.remove(file)
      return (text ?? "").split(separator: "\n").map(String.init)
    }
    let (folders, gone, git) = (lines("dirs"), lines("gone"), lines("git"))
    let staged = try FolderHandle(path: staging)
    let target = try FolderHandle(path: folder)
    // New folders that have no files. Only their names come.
    for path in folders { staged.makeFolders(CopyFromGuest.plain(Array(path.utf8))) }
    var placement = ChangesPlacement(arrival.volume, arrival.baseline)
    if arrival.volume.isFolder {
      try placement.place(staged, into: target)
    } else {
      try placement.placeFile(staged, into: target)
    }
    var report = placement.report
    let given = arrival.volume.given
    let deleted = deletions(gone)
    if !deleted.isEmpty {
      report.warnings.append(
        "deleted in the guest, and kept here in '\(given)': "
          + CopyReport.shortened(deleted).joined(separator: ", "))
    }
    if !git.isEmpty {
      report.warnings.append("what the command changed in '\(given)/.git' stays in the guest")
    }
    return report
  }

  /// The paths that were sent, are gone there, and are still here; not those in a folder that is one.
  private func deletions(_ gone: [String]) -> [String] {
    guard arrival.volume.isFolder else { return gone.isEmpty ? [] : [arrival.volume.given] }
    let paths = gone.map { CopyFromGuest.plain(Array($0.utf8)) }
      .filter { arrival.baseline.files[$0] != nil }
    let all = Set(paths)
    return paths.filter { path in
      guard let slash = path.lastIndex(of: UInt8(ascii: "/")) else { return true }
      return !all.contains(Array(path[..<slash]))
    }
    .map { ForeignText.line(String(decoding: $0, as: UTF8.self)) }
  }
}

extension FolderHandle {
  /// Creates a folder with those that lead there. What is refused is left out: the path comes from a guest.
  func makeFolders(_ path: [UInt8]) {
    var folder = self
    for part in path.split(separator: UInt8(ascii: "/")).map(Array.init) {
      try? folder.makeFolder(part, isShared: true)
      guard let inner = try? folder.folder(part) else { return }
      folder = inner
    }
  }
}
