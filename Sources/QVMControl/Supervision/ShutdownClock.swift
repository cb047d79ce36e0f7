/// The time that a guest has for its shutdown: what counts of it, and what does not.
///
/// A QEMU that stands still has not refused anything: while it doesn't answer, no time counts.
struct ShutdownClock: Sendable {
  private var counted: CountedTime
  /// When QEMU was asked for an answer that it has not given yet.
  private var askedAt: SuspendingClock.Instant?
  /// Whether it was reported that QEMU does not answer.
  private var hasReportedSilence = false

  /// A clock that begins at a time.
  init(at time: SuspendingClock.Instant) { counted = CountedTime(at: time) }

  /// The time that counts. It means nothing but in comparison to itself.
  var now: CountedTime.Instant { counted.now }

  /// Takes in what the time is.
  ///
  /// - Parameters:
  ///   - time: The time.
  ///   - isAskingGuest: Whether it is the guest that is waited for.
  /// - Returns: Whether to report that QEMU does not answer.
  mutating func look(at time: SuspendingClock.Instant, isAskingGuest: Bool) -> Bool {
    let isSilent =
      isAskingGuest && askedAt.map { $0.advanced(by: CountedTime.tick) <= time } ?? false
    counted.look(at: time, isSilent: isSilent)
    guard isSilent, !hasReportedSilence else { return false }
    hasReportedSilence = true
    return true
  }

  /// When to look again for what is due at a time of this clock: by the system's clock.
  func nextLook(for due: CountedTime.Instant) -> SuspendingClock.Instant {
    counted.nextLook(for: due)
  }

  /// Whether QEMU owes an answer.
  var awaitsAnswer: Bool { askedAt != nil }

  /// QEMU was asked for an answer.
  mutating func asked(at time: SuspendingClock.Instant) { askedAt = time }

  /// QEMU has answered, or hung up.
  mutating func answered() { askedAt = nil }
}
