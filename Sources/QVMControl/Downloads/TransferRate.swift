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
