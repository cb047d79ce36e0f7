/// Distinguishes a new signal from the echo of one that was delivered already.
///
/// `timeout` signals its child and then its whole group. npm, make and job runners forward signals
/// that the terminal has sent to all processes. GNU parallel sends SIGTERM three times in a third
/// of a second. So the same signal soon after the first is an echo. A key is never one: a user who
/// presses Ctrl-C again means it.
package struct SignalEchoes: Sendable, Hashable {
  package typealias Instant = SuspendingClock.Instant

  /// How long after a signal the same one counts as its echo.
  package static let window = Duration.seconds(2)

  /// When each signal last counted as new.
  private var wishes: [Signal: Instant] = [:]

  package init() {}

  /// Decides about a signal.
  ///
  /// - Parameters:
  ///   - signal: The signal. One that doesn't ask for the end has no echo.
  ///   - fromTerminal: Whether a key caused it; false if unknown.
  ///   - now: The time.
  /// - Returns: Whether it is new.
  package mutating func isWish(_ signal: Signal, fromTerminal: Bool, at now: Instant) -> Bool {
    guard signal.asksForEnd else { return true }
    if !fromTerminal, let wish = wishes[signal], now < wish.advanced(by: Self.window) {
      return false
    }
    wishes[signal] = now
    return true
  }
}
