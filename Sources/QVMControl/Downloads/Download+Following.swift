internal import QMPClient

extension Download {
  /// How far somebody else's download of a file is.
  struct Observed: Sendable, Hashable {
    /// In bytes.
    let received: Int
    /// In bytes; nil where it isn't known.
    let total: Int?
  }

  /// How far whoever holds the lock of a download is, by the partial file and what is noted beside
  /// it; nil where nothing is being received yet.
  static func observe(_ name: String, in cache: Cache) -> Observed? {
    let suffix = ".partial.json"
    let notes = Files.list(cache.downloads).filter {
      $0.hasPrefix("\(name)@") && $0.hasSuffix(suffix)
    }
    // An older release may have left one too.
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

  /// The progress of somebody else's download.
  struct Following: Sendable {
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

    /// Looks how far it is, and tells.
    mutating func look() {
      guard let observed = Download.observe(name, in: cache) else { return }
      if !hasBegun { progress(name, .followed(done: observed.received, total: observed.total)) }
      hasBegun = true
      total = observed.total
      progress(name, .advanced(to: observed.received))
    }

    /// Ends it; `complete` says whether what was waited for is there.
    mutating func end(complete: Bool) {
      if hasBegun {
        // The last bytes came after the last look.
        if complete, let total { progress(name, .advanced(to: total)) }
        progress(name, .ended(complete: complete))
      }
      hasBegun = false
    }
  }
}
