internal import QMPClient

/// The download of another process, whose progress is reported here.
struct FollowedDownload: Sendable {
  let name: String
  let cache: Cache
  let progress: ProgressReporter
  private var hasBegun = false
  private var total: Int?

  init(_ name: String, in cache: Cache, _ progress: ProgressReporter) {
    self.name = name
    self.cache = cache
    self.progress = progress
  }

  /// Reports the current progress.
  mutating func look() {
    guard let observed = Self.observe(name, in: cache) else { return }
    if !hasBegun { progress(name, .followed(done: observed.received, total: observed.total)) }
    hasBegun = true
    total = observed.total
    progress(name, .advanced(to: observed.received))
  }

  /// Reports the end. `complete` says whether the file is there.
  mutating func end(complete: Bool) {
    if hasBegun {
      // The last bytes arrived after the last report.
      if complete, let total { progress(name, .advanced(to: total)) }
      progress(name, .ended(complete: complete))
    }
    hasBegun = false
  }

  // MARK: - Observing

  /// The progress of another process's download.
  struct Observed: Sendable, Hashable {
    /// In bytes.
    let received: Int
    /// In bytes; nil if unknown.
    let total: Int?
  }

  /// The progress of the process that holds a download's lock, from the partial file and its note;
  /// nil if nothing was received yet.
  static func observe(_ name: String, in cache: Cache) -> Observed? {
    let suffix = ".partial.json"
    let notes = Files.list(cache.downloads).filter {
      $0.hasPrefix("\(name)@") && $0.hasSuffix(suffix)
    }
    // An older release may have left a note too.
    let newest = notes.max { one, other in
      let times = [one, other].map { Files.information("\(cache.downloads)/\($0)")?.modified ?? 0 }
      return times[0] < times[1]
    }
    guard let newest else { return nil }
    let note = "\(cache.downloads)/\(newest)"
    guard let partial = Files.information(String(note.dropLast(".json".count))) else { return nil }
    let record = (try? JSONFile.read(note)) ?? nil
    return Observed(received: partial.size, total: record?["size"]?.int)
  }
}
