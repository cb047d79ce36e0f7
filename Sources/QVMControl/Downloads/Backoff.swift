/// How often something is tried that fails for now, and after which pauses.
///
/// The pauses double; a server may ask for a longer one. All of them together are about as long as
/// the bursts of failures that the real servers have.
struct Backoff: Sendable {
  private let limits: TransferLimits
  private let isLookUp: Bool
  private var failures = 0
  private var next: Duration

  /// - Parameters:
  ///   - limits: How patient to be.
  ///   - isLookUp: Whether nobody has waited for long yet: only a server that answers that it has
  ///     trouble is worth all of the patience then, and one that can't be reached is worth none.
  init(_ limits: TransferLimits, isLookUp: Bool = false) {
    self.limits = limits
    self.isLookUp = isLookUp
    next = limits.pause
  }

  /// The pause before the next attempt; nil where there should be none.
  mutating func pause(after error: DownloadError) -> Duration? {
    guard error.isTransient else { return nil }
    failures += 1
    guard failures < attempts(after: error) else { return nil }
    defer { next *= 2 }
    guard let asked = error.retryAfter.map(Duration.seconds) else { return next }
    return asked > limits.longestPause ? nil : max(next, asked)
  }

  /// Something came: what follows is another failure.
  mutating func reset() { self = Backoff(limits, isLookUp: isLookUp) }

  private func attempts(after error: DownloadError) -> Int {
    if !isLookUp || error.status != nil { return limits.attempts }
    // Nobody waits to hear that there is no network.
    if case .unreachable = error { return 1 }
    return min(limits.attempts, 3)
  }
}
