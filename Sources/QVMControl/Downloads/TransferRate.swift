/// The speed of a download, from its progress reports.
///
/// The rate is that of the last few seconds, weighted towards the newest. So the time left neither
/// jumps nor lags.
package struct TransferRate: Sendable {
  /// The seconds after which an old rate counts for about a third.
  private static let memory = 3.0
  /// A shorter interval gives an unreliable rate.
  private static let shortest = Duration.milliseconds(250)

  private var last: (bytes: Int, time: SuspendingClock.Instant)?
  private var average: Double?

  package init() {}

  /// Bytes per second; nil until there is enough data.
  package var bytesPerSecond: Int? { average.map { Int($0) } }

  /// Records the number of bytes at a time.
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

  /// The seconds until so many more bytes are there; nil if unknown.
  package func secondsLeft(for bytes: Int) -> Int? {
    guard let average, average >= 1 else { return nil }
    let seconds = Double(bytes) / average
    // More than 100 hours is no useful estimate, and a number beyond Int would trap.
    return seconds < 360_000 ? Int(seconds.rounded(.up)) : nil
  }
}
