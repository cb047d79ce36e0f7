/// Where downloads tell how far they are.
///
/// Each is named by its label; several go on at the same time. Reports come on the event loop's
/// thread, up to ten a second for each download.
package struct ProgressReporter: Sendable {
  package enum Event: Sendable, Hashable {
    /// It begins with so many bytes that an earlier run left; nil where the whole is unknown.
    case began(done: Int, total: Int?)
    /// Somebody else is at it, and is waited for; it had so many bytes when that was seen.
    case followed(done: Int, total: Int?)
    /// It has so many bytes by now; fewer than before where it had to start over.
    case advanced(to: Int)
    /// It is over; whether with all of its bytes.
    case ended(complete: Bool)
  }

  private let report: @Sendable (String, Event) -> Void

  package init(_ report: @escaping @Sendable (_ label: String, _ event: Event) -> Void) {
    self.report = report
  }

  /// For nobody.
  package static let silent = ProgressReporter { _, _ in }

  package func callAsFunction(_ label: String, _ event: Event) { report(label, event) }
}

/// How fast a download goes, from its reports.
///
/// The rate is that of the last few seconds, weighted towards the newest, so that a time left can
/// be told from it that neither jumps nor lags.
package struct TransferRate: Sendable {
  /// How long it takes until an old rate counts for about a third.
  private static let memory = 3.0
  /// Shorter spans say more about the clock than about the network.
  private static let shortest = Duration.milliseconds(250)

  private var last: (bytes: Int, time: SuspendingClock.Instant)?
  private var average: Double?

  package init() {}

  /// Bytes per second; nil until there is something to tell it from.
  package var bytesPerSecond: Int? { average.map { Int($0) } }

  /// Takes note of how many bytes there are at a time.
  package mutating func note(_ bytes: Int, at time: SuspendingClock.Instant) {
    guard let last, bytes >= last.bytes else {
      last = (bytes, time)
      average = nil
      return
    }
    let span = last.time.duration(to: time)
    guard span >= Self.shortest else { return }
    let seconds = span / .seconds(1)
    let rate = Double(bytes - last.bytes) / seconds
    let weight = seconds / (seconds + Self.memory)
    average = average.map { $0 + (rate - $0) * weight } ?? rate
    self.last = (bytes, time)
  }

  /// The seconds until so many more bytes are there; nil where that can't be told.
  package func secondsLeft(for bytes: Int) -> Int? {
    guard let average, average >= 1 else { return nil }
    let seconds = Double(bytes) / average
    // Days mean nothing, and a number beyond Int would trap.
    return seconds < 360_000 ? Int(seconds.rounded(.up)) : nil
  }
}

/// Sizes for people.
package enum ByteCount {
  /// In decimal units, as networks and disks are sold: `512 B`, `1.5 MB`, `120 MB`.
  package static func text(_ bytes: Int) -> String {
    if bytes < 1000 { return "\(max(0, bytes)) B" }
    var tenths = bytes / 100
    var units = ["kB", "MB", "GB", "TB", "PB", "EB"][...]
    while tenths >= 10_000, units.count > 1 {
      tenths /= 1000
      units.removeFirst()
    }
    let unit = units.first ?? "B"
    return tenths < 1000 ? "\(tenths / 10).\(tenths % 10) \(unit)" : "\(tenths / 10) \(unit)"
  }
}
