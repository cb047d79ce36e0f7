internal import QMPClient

/// The end of a VM: how far it has come, and what was seen of it.
struct Shutdown: Sendable {
  /// A guest that stands still for want of its disk is resumed once, so that it can power off.
  enum Resumption: Sendable {
    case notTried, underway, done
  }

  var ladder = ShutdownLadder()
  /// The ladder's clock.
  var clock = ShutdownClock(at: .now)
  var evidence = Evidence()
  var command = GuestPowerOffCommand()
  var resumption = Resumption.notTried
  /// The rungs as they were reached.
  private var steps: [Outcome.Step] = []
  /// What was made of the signals to this process.
  private var signals = SignalEscalation()
  /// Whether it was reported that the guest was reset while it was to power off.
  private var hasReportedRestart = false
  /// The request that came before it was known how to reach QEMU.
  private var postponed: (rung: ShutdownRung, timeout: Int?)?

  /// Whether it is the guest that is waited for.
  var isAskingGuest: Bool {
    guard let rung = ladder.rung else { return false }
    return rung <= .guestCommand && evidence.cause == nil
  }

  /// The rung that a signal to this process asks for, nil if it asks for nothing new.
  ///
  /// If a shutdown was asked for in another way it is the second request: a CI system kills seconds
  /// later. A signal to all processes of a job, though, has reached the client as well, just now.
  mutating func rung(for signal: Signal) -> ShutdownRung? {
    let rung = signals.rung(for: signal)
    guard rung == .powerButton, signal != .hangUp, let startedAt = ladder.startedAt,
      startedAt.advanced(by: SignalEchoes.window) <= clock.now
    else { return rung }
    return .quit
  }

  // MARK: - Postponed requests

  mutating func postpone(_ rung: ShutdownRung, timeout: Int?) {
    postponed = (max(rung, postponed?.rung ?? rung), timeout)
  }

  /// Hands out what was postponed.
  mutating func takePostponed() -> (rung: ShutdownRung, timeout: Int?)? {
    defer { postponed = nil }
    return postponed
  }

  // MARK: - What happened

  /// The guest was reset; whether to report that it does so instead of powering off.
  mutating func guestReset() -> Bool {
    let isBeingAsked = ladder.guestReset(at: clock.now)
    // The firmware may reset a second and a third time: one notice is enough.
    guard isBeingAsked, !hasReportedRestart else { return false }
    hasReportedRestart = true
    return true
  }

  /// A rung was reached.
  mutating func note(_ rung: ShutdownRung) {
    guard let startedAt = ladder.startedAt, !steps.contains(where: { $0.rung == rung.name }) else {
      return
    }
    steps.append(
      Outcome.Step(rung: rung.name, seconds: startedAt.duration(to: clock.now).inSeconds))
  }

  /// Whether the guest's command was run.
  var hasRunCommand: Bool { commandStep != nil }

  /// Why the guest's last command failed; nil if it did not.
  mutating func noteCommand(failure: String?) {
    if let commandStep { steps[commandStep].failure = failure }
  }

  private var commandStep: Int? {
    steps.lastIndex { $0.rung == ShutdownRung.guestCommand.name }
  }

  /// Adds to an outcome what was done for the end, if a shutdown was asked for.
  func complete(_ outcome: inout Outcome) {
    guard let startedAt = ladder.startedAt else { return }
    outcome.rung = ladder.rung?.name
    outcome.seconds = startedAt.duration(to: clock.now).inSeconds
    outcome.steps = steps
    outcome.presses = ladder.presses
  }
}
