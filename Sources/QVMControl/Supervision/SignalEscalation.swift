/// How hard the user wants a VM to end, from the signals so far: the power button, then `quit`, then
/// SIGKILL.
package struct SignalEscalation: Sendable, Hashable {
  private static let rungs: [ShutdownRung] = [.powerButton, .quit, .kill]

  /// How many of the three were reached.
  package private(set) var step = 0

  package init() {}

  /// Whether QEMU was to be ended whatever the guest does.
  package var isForcing: Bool { step > 1 }

  /// Takes in a signal; the rung that it asks for, nil if it asks for nothing new.
  package mutating func rung(for signal: Signal) -> ShutdownRung? {
    switch signal {
    case .interrupt: climb(to: step + 1)
    // The user asks for an end at once.
    case .quit: climb(to: max(2, step + 1))
    // The kernel and the shell both report a closed terminal.
    case .hangUp: climb(to: 1)
    // After a first request for the end there may be only seconds left: a CI system sends SIGINT,
    // then SIGTERM, then SIGKILL.
    case .terminate: climb(to: min(2, step + 1))
    default: nil
    }
  }

  private mutating func climb(to wanted: Int) -> ShutdownRung? {
    guard wanted > step, wanted <= Self.rungs.count else { return nil }
    step = wanted
    return Self.rungs[wanted - 1]
  }
}
