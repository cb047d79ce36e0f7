internal import QMPClient

/// Copies files and folders of this host into a guest.
package struct CopyIntoGuest: Sendable {
  let transfer: GuestTransfer
  let sources: [HostSource]
  let target: UnpackScript.Target
  /// The random word in the names of this copy in the guest.
  let token = Randomness.hexadecimal(bytes: 8)
  /// What runs in the guest before, in the folder of the target.
  var beginning = ":"
  /// What runs there at the end.
  var ending = ":"

  /// - Parameters:
  ///   - sources: At least one. Without ``HostSource/isContents`` their names must differ.
  ///   - target: Where they go, as `cp -R` understands it.
  ///   - transfer: How the guest is reached.
  /// - Throws: ``CopyError/sameName(_:_:)``.
  package init(
    _ sources: [HostSource], to target: GuestPath, by transfer: GuestTransfer
  ) throws(CopyError) {
    try self.init(sources, .copy(target), by: transfer)
  }

  init(
    _ sources: [HostSource], _ target: UnpackScript.Target, by transfer: GuestTransfer
  ) throws(CopyError) {
    var names: [String: HostSource] = [:]
    for source in sources where !source.isContents {
      if let other = names.updateValue(source, forKey: source.name) {
        throw .sameName(other.path, source.path)
      }
    }
    self.sources = sources
    self.target = target
    self.transfer = transfer
  }

  /// Copies.
  ///
  /// - Returns: What was copied. Nothing is in its place if it throws, unless folders had to be merged.
  /// - Throws: ``CopyError``, ``FileError``, ``SpawnError``; `CancellationError`.
  package func run() async throws -> CopyReport {
    var script = UnpackScript(
      token: token, target: target,
      items: sources.map { .init(name: $0.name, isFolder: $0.isFolder) })
    script.beginning = beginning
    script.ending = ending
    let (sources, progress, token) = (self.sources, transfer.progress, self.token)
    let outcome = try await transfer.run(script.text, token: token, .toGuest) { output, stop in
      var writer = TarWriter(to: output, stop: stop) { progress?($0.bytes) }
      for (index, source) in sources.enumerated() {
        let member = Array(UnpackScript.member(index, token: token).utf8)
        try writer.add(Files.absolute(source.path), as: member, options: source.options)
      }
      let written = writer.summary
      let count = written.files + written.folders + written.links + written.hardLinks
      return try writer.finish(
        mark: (
          Array(UnpackScript.mark(count, token: token).utf8), UnpackScript.modes(written.closed)
        ))
    }
    let written = try await transfer.value(of: outcome) { script.problem($0, $1) }
    var report = CopyReport()
    report.files = written.files + written.links + written.hardLinks
    report.folders = written.folders
    report.bytes = written.bytes
    report.notes = sources.flatMap(\.notes) + outcome.messages
    report.add(written.remarks.map { named($0, token) })
    return report
  }

  /// The remark with the path on this host instead of the one in the archive.
  private func named(_ remark: ArchiveRemark, _ token: String) -> ArchiveRemark {
    let slash = UInt8(ascii: "/")
    for (index, source) in sources.enumerated() {
      let member = Array(UnpackScript.member(index, token: token).utf8)
      guard remark.name.starts(with: member) else { continue }
      let rest = remark.name.dropFirst(member.count)
      guard rest.isEmpty || rest.first == slash else { continue }
      return ArchiveRemark(Array(source.shownPath.utf8) + rest, remark.problem)
    }
    return remark
  }
}

extension GuestTransfer {
  /// The value of a script that went well.
  ///
  /// - Parameters:
  ///   - outcome: How the script ended.
  ///   - problem: Reads the script's reports and messages.
  /// - Returns: What the body returned.
  /// - Throws: What went wrong first: on this host, in the guest, or between them.
  func value<Value: Sendable>(
    of outcome: Outcome<Value>, problem: ([String], [String]) -> CopyError.GuestProblem?
  ) async throws -> Value {
    if case .failure(let error) = outcome.result, !Self.isEndOfOther(error) { throw error }
    if let problem = problem(outcome.reports, outcome.messages) {
      throw CopyError.guest(problem, name: name)
    }
    switch (outcome.end, outcome.result) {
    case (.exited(0), .success(let value)): return value
    case (.exited(255), _), (.signalled, _), (.exited(0), .failure):
      throw CopyError.lost(
        name: name, hasEnded: false, why: outcome.messages.last ?? outcome.end.description)
    case (.exited, _):
      throw CopyError.guest(
        .failed(outcome.messages.last ?? outcome.end.description), name: name)
    }
  }
}
