/// How often to retry after a transient failure, and after which pauses.
///
/// The pauses double. A server may request a longer one. Together they are about as long as the
/// bursts of failures of the real servers.
struct Backoff: Sendable {
  private let limits: TransferLimits
  private let isLookUp: Bool
  private var failures = 0
  private var next: Duration

  /// - Parameters:
  ///   - limits: The number of attempts and the pauses.
  ///   - isLookUp: Whether this is a look-up before a transfer. Then all attempts are made only if
  ///     a server answers with an error, and one attempt if it can't be reached.
  init(_ limits: TransferLimits, isLookUp: Bool = false) {
    self.limits = limits
    self.isLookUp = isLookUp
    next = limits.pause
  }

  /// The pause before the next attempt; nil if there should be no further attempt.
  mutating func pause(after error: DownloadError) -> Duration? {
    guard error.isTransient else { return nil }
    failures += 1
    guard failures < attempts(after: error) else { return nil }
    defer { next *= 2 }
    guard let asked = error.retryAfter.map(Duration.seconds) else { return next }
    return asked > limits.longestPause ? nil : max(next, asked)
  }

  /// Starts over after progress.
  mutating func reset() { self = Backoff(limits, isLookUp: isLookUp) }

  private func attempts(after error: DownloadError) -> Int {
    if !isLookUp || error.status != nil { return limits.attempts }
    // Without a network, fail at once.
    if case .unreachable = error { return 1 }
    return min(limits.attempts, 3)
  }
}
