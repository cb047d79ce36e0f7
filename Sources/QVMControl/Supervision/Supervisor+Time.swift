internal import QMPClient

/// The time that a guest has for its shutdown: what counts of it, and what doesn't.
extension Supervisor {
  /// Takes in what the time is. A QEMU that stands still has not refused anything.
  func lookAtClock() async {
    let now = SuspendingClock.now
    let isSilent =
      isAskingGuest
      && pulseAwaitedSince.map { $0.advanced(by: CountedTime.tick) <= now } ?? false
    time.look(at: now, isSilent: isSilent)
    if isSilent, !hasToldOfSilence {
      hasToldOfSilence = true
      await server.broadcast(.notice("QEMU does not answer its monitor; giving it time"))
    }
  }

  /// Whether it is the guest that is waited for.
  private var isAskingGuest: Bool {
    guard let rung = ladder.rung else { return false }
    return rung <= .guestCommand && evidence.cause == nil
  }

  /// Asks QEMU for a sign of life.
  func feelPulse() {
    guard isAskingGuest, pulseAwaitedSince == nil, let client else { return }
    pulseAwaitedSince = .now
    Self.askForPulse(client, inputs, on: loop)
  }

  private static func askForPulse(
    _ client: QMPClient, _ inputs: Mailbox<Input>, on loop: EventLoop
  ) {
    Task(executorPreference: loop) {
      _ = try? await client.execute(QueryStatus(), timeout: nil)
      inputs.send(.pulse)
    }
  }
}
