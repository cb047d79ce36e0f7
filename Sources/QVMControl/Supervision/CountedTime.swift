/// A clock for timeouts that leaves out the time in which no process could do anything: a value that
/// gets the time from its caller, and reads no clock itself.
///
/// A scheduler suspends a job, `docker pause` a container, a user sends SIGSTOP: the guest stands
/// still, and so does what waits for it, while the system's clock advances. What waits looks at the
/// clock at least once a ``tick``, and no more than that counts of the time between two looks.
package struct CountedTime: Sendable, Hashable {
  package typealias Instant = SuspendingClock.Instant

  /// The longest time between two looks, which is also the most that counts of it.
  package static let tick = Duration.seconds(1)
  /// How much silence is left out in all: a QEMU that never answers again must not hold up its end.
  package static let mostSilence = Duration.seconds(45)

  /// The time at the last look.
  private var seen: Instant
  private var silence = Duration.zero
  /// The time that counts. It means nothing but in comparison to itself.
  package private(set) var now: Instant

  /// A clock that begins at a time.
  package init(at time: Instant) {
    seen = time
    now = time
  }

  /// Takes in what the time is.
  ///
  /// - Parameters:
  ///   - time: The time.
  ///   - isSilent: Whether the VM's QEMU doesn't answer: as long as it stands still, so does its guest.
  package mutating func look(at time: Instant, isSilent: Bool = false) {
    let passed = min(max(seen.duration(to: time), .zero), Self.tick)
    seen = time
    if isSilent, silence + passed <= Self.mostSilence {
      silence += passed
    } else {
      now = now.advanced(by: passed)
    }
  }

  /// When to look again for what is due at a time of this clock: by the system's clock.
  package func nextLook(for due: Instant) -> Instant {
    seen.advanced(by: min(max(now.duration(to: due), .zero), Self.tick))
  }
}
