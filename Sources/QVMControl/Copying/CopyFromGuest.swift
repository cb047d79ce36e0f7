internal import QMPClient

/// Copies files and folders of a guest to this host. What comes is not trusted: ``TarExtractor``.
package struct CopyFromGuest: Sendable {
  let transfer: GuestTransfer
  let sources: [GuestPath]
  private let target: String
  private let place: HostPlace
  package var excluded: [FilePattern] = []
  package var keepsSpecialBits = false
  /// Whether what isn't there is a remark, and what the user can't read is fetched as root.
  package var isLenient = false

  /// - Parameters:
  ///   - sources: At least one. Each may be a pattern.
  ///   - target: A path on this host, as `cp -R` understands it.
  ///   - transfer: How the guest is reached.
  /// - Throws: ``CopyError`` if the target can't be.
  package init(
    _ sources: [GuestPath], to target: String, by transfer: GuestTransfer
  ) throws(CopyError) {
    place = try Self.check(sources, to: target)
    self.target = target
    self.sources = sources
    self.transfer = transfer
  }

  /// Checks what can be checked without the guest.
  ///
  /// - Throws: ``CopyError``.
  @discardableResult
  package static func check(
    _ sources: [GuestPath], to target: String
  ) throws(CopyError) -> HostPlace {
    let place = try HostPlace(target)
    if case .new = place, sources.count > 1 { throw .noHostFolder(target) }
    var names: [String: GuestPath] = [:]
    for source in sources where !source.isContents {
      if let other = names.updateValue(source, forKey: source.lastName) {
        throw .sameName(other.text, source.text)
      }
    }
    return place
  }

  /// Copies.
  ///
  /// - Returns: What was copied.
  /// - Throws: ``CopyError``, ``TarError``, ``SpawnError``; `CancellationError`. What was copied up to
  ///   then stays, each file whole.
  package func run() async throws -> CopyReport {
    let token = Randomness.hexadecimal(bytes: 8)
    var script = PackScript(token: token, sources: sources)
    script.isLenient = isLenient
    if case .new(let name, let isFolder, let folder) = place {
      script.takesOne = true
      script.needsFolder = isFolder
      script.needsFile = Files.exists("\(folder)/\(name)")
    }
    var options = TarExtractor.Options()
    options.keepsSpecialBits = keepsSpecialBits
    let (place, excluded, progress) = (self.place, self.excluded, transfer.progress)
    let skipped = Skipped()
    let isContents = sources[0].isContents
    options.rename = { name in
      let path = Self.plain(name)
      if Self.isExcluded(path, isFolder: name.last == UInt8(ascii: "/"), excluded) {
        skipped.count()
        return nil
      }
      return place.path(of: path, isContents: isContents)
    }
    let settings = options
    let outcome = try await transfer.run(script.text, token: token, .fromGuest) { input, stop in
      var reader = TarReader(from: input, stop: stop)
      var extractor = try TarExtractor(into: place.folder, options: settings) {
        progress?($0.bytes)
      }
      do { return Extraction(summary: try extractor.extract(&reader), failure: nil) } catch {
        guard GuestTransfer.isEndOfOther(error) else { throw error }
        return Extraction(summary: extractor.summary, failure: error)
      }
    }
    return try report(outcome, script, skipped: skipped.value)
  }

  private struct Extraction: Sendable {
    let summary: TarExtractor.Summary
    /// Set if the archive ended too early.
    let failure: (any Error)?
  }

  private func report(
    _ outcome: GuestTransfer.Outcome<Extraction>, _ script: PackScript, skipped: Int
  ) throws -> CopyReport {
    let name = transfer.name
    if case .failure(let error) = outcome.result, !GuestTransfer.isEndOfOther(error) { throw error }
    if script.needsFile, outcome.reports.contains("isfolder") {
      throw CopyError.hostNotFolder(target)
    }
    if let problem = script.problem(outcome.reports) {
      throw CopyError.guest(problem, name: name)
    }
    guard case .exited(let status) = outcome.end, status != 255,
      case .success(let extraction) = outcome.result
    else {
      throw CopyError.lost(
        name: name, hasEnded: false, why: outcome.messages.last ?? outcome.end.description)
    }
    let summary = extraction.summary
    var report = CopyReport()
    report.files = summary.files + summary.links + summary.hardLinks
    report.folders = summary.folders
    report.bytes = summary.bytes
    report.add(summary.remarks.map { ArchiveRemark(Self.plain($0.name), $0.problem) })
    for path in script.absent(outcome.reports) {
      report.losses.append(CopyError.guest(.missing(path.text), name: name).message)
    }
    if status != 0 || extraction.failure != nil {
      // The guest's own words, such as those of a tar that couldn't read a file.
      let words =
        outcome.messages.isEmpty ? ["tar failed with exit status \(status)"] : outcome.messages
      report.losses += words.map { "\(name): \($0)" }
      if extraction.failure != nil {
        report.losses.append("\(name): the archive ended before its end; the rest is missing")
      }
      return report
    }
    report.notes += outcome.messages.map { "\(name): \($0)" }
    let tops = sources.filter(\.isContents).count
    let got = report.files + report.folders + summary.remarks.count + skipped + tops
    if let count = PackScript.members(outcome.reports), got < count {
      report.losses.append(CopyError.membersMissing(got: got, of: count, name: name).message)
    }
    return report
  }

  /// A member's name without `./` and without a slash at the end.
  static func plain(_ name: [UInt8]) -> [UInt8] {
    let (dot, slash) = (UInt8(ascii: "."), UInt8(ascii: "/"))
    var name = name[...]
    while name.starts(with: [dot, slash]) { name = name.dropFirst(2) }
    while name.last == slash { name.removeLast() }
    return name.elementsEqual([dot]) ? [] : Array(name)
  }

  /// Whether a path or a folder that it is in is left out.
  static func isExcluded(
    _ path: [UInt8], isFolder: Bool, _ patterns: [FilePattern]
  ) -> Bool {
    if patterns.isEmpty { return false }
    let names = path.split(separator: UInt8(ascii: "/")).map(Array.init)
    for depth in names.indices {
      let isLast = depth == names.count - 1
      let part = Array(names[...depth].joined(separator: [UInt8(ascii: "/")]))
      let fits = patterns.contains {
        $0.fits(part, name: names[depth], isFolder: !isLast || isFolder)
      }
      if fits { return true }
    }
    return false
  }
}
