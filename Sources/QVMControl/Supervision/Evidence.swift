package import QMPClient

/// What was seen of a VM's end, and what it proves.
///
/// QEMU exits with status 0 after `quit`, a signal and a guest's power-off alike, and it may live
/// on for a while after it announced its shutdown: only the announcement and the end of the
/// process together tell how it went.
package struct Evidence: Sendable, Hashable {
  /// The cause in QEMU's `SHUTDOWN` event; nil if there was none, or the guest was started anew.
  package var cause: ShutdownCause?
  /// Whether that event said that the guest asked for it.
  private var byGuest = false
  /// Whether the guest was off before this process listened; what ends QEMU then says nothing of it.
  private(set) var isEndUnheard = false
  /// Whether the guest reported a panic.
  package var guestPanicked = false
  /// Whether QEMU was told to end since the guest stood still for want of its disk: what it had to write
  /// is lost.
  package var isStalledByDisk = false
  /// Whether the supervisor sent SIGTERM, as a rung of a shutdown.
  package var wasTerminated = false
  /// Whether the supervisor sent SIGKILL, as the last rung of a shutdown.
  package var wasKilled = false

  package init() {}

  /// Takes in an event.
  package mutating func note(_ event: QMPEvent) {
    if let shutdown = event.shutdown {
      // With -no-shutdown QEMU stays when the guest is off: what ends QEMU then says nothing of it.
      if cause != nil, byGuest { return }
      cause = shutdown.reason ?? ShutdownCause(rawValue: "unknown")
      byGuest = shutdown.isByGuest ?? false
    }
    switch event.name {
    case "GUEST_PANICKED": guestPanicked = true
    // It panicked, or was off, and was started anew.
    case "RESET":
      (guestPanicked, isEndUnheard, cause, byGuest) = (false, false, nil, false)
      isStalledByDisk = false
    case "RESUME":
      isStalledByDisk = false
      (isEndUnheard, cause, byGuest) = (false, nil, false)
    default: break
    }
  }

  /// Takes in the run state, which may show what no event told: this supervisor may be younger than
  /// the guest's end, or have lost its monitor meanwhile.
  package mutating func note(_ state: RunState) {
    if state == .guestPanicked { guestPanicked = true }
    // Off by itself, or by a reset where QEMU takes that for an end.
    if state == .shutdown, cause == nil { isEndUnheard = true }
  }

  /// What it comes to, now that the process was reaped.
  package func verdict(_ end: ProcessEnd) -> (result: Outcome.Ending, reason: String) {
    switch end {
    case .signalled(let signal) where wasKilled && signal == Signal.kill.rawValue:
      return (.forced, "killed")
    case .signalled(let signal): return (.crashed, "qemu-signal-\(signal)")
    case .exited(let status) where status != 0: return (.crashed, "qemu-exit-\(status)")
    case .exited: break
    }
    guard let cause else { return (.crashed, "no-shutdown-event") }
    if guestPanicked || cause == .guestPanic { return (.crashed, "guest-panic") }
    if isEndUnheard { return (.unknown, "unobserved") }
    switch cause {
    case .guestShutdown: return (.clean, cause.rawValue)
    // A reboot or a triple fault, where QEMU was told to end instead of starting the guest anew.
    case .guestReset, .hostQMPSystemReset, .subsystemReset: return (.reset, cause.rawValue)
    case .hostError: return (.crashed, cause.rawValue)
    case .hostQMPQuit where isStalledByDisk, .hostSignal where isStalledByDisk:
      return (.forced, Outcome.stalledByDisk)
    default: return (.forced, cause.rawValue)
    }
  }

  /// What it comes to if QEMU was not this process's child: its lock is free, so it has ended,
  /// but its exit status is unknown. QEMU removes its pid file only in an orderly exit.
  package func verdict(pidFileRemains: Bool) -> (result: Outcome.Ending, reason: String) {
    if wasKilled, pidFileRemains { return (.forced, "killed") }
    if pidFileRemains { return (.crashed, "qemu-killed") }
    if cause == nil {
      return wasTerminated ? (.forced, ShutdownCause.hostSignal.rawValue) : (.unknown, "unobserved")
    }
    return verdict(.exited(0))
  }
}
