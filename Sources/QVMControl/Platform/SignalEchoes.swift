/// Tells a signal that is a wish of its own from the echo of one that was heard already.
///
/// `timeout` signals its child and then its whole group; npm, make and job runners pass on what the
/// terminal has sent to all; GNU parallel sends SIGTERM three times in a third of a second. The same
/// signal, soon after the first, is the same wish. Who presses Ctrl-C again means it.
package struct SignalEchoes: Sendable, Hashable {
  package typealias Instant = SuspendingClock.Instant

  /// How long after a signal the same one is its echo.
  package static let window = Duration.seconds(2)

  /// When each signal was last a wish.
  private var wishes: [Signal: Instant] = [:]

  package init() {}

  /// Takes in a signal.
  ///
  /// - Parameters:
  ///   - signal: One that has arrived; what asks for no end has no echo.
  ///   - fromTerminal: Whether somebody typed it; false where that can't be told.
  ///   - now: The time.
  /// - Returns: Whether it is a wish.
  package mutating func isWish(_ signal: Signal, fromTerminal: Bool, at now: Instant) -> Bool {
    guard signal.asksForEnd else { return true }
    if !fromTerminal, let wish = wishes[signal], now < wish.advanced(by: Self.window) {
      return false
    }
    wishes[signal] = now
    return true
  }
}
