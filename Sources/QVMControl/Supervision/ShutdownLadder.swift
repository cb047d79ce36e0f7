/// Brings a VM to its end, one rung after the other: a value that takes in what happened and
/// returns what to do, with no I/O and no clock of its own. Its times are those of ``CountedTime``.
package struct ShutdownLadder: Sendable {
  package enum Action: Sendable, Hashable {
    /// Press the power button.
    case press
    /// Run the guest's own command for powering off.
    case runGuestCommand
    /// Have QEMU end by its monitor.
    case quit
    /// Send SIGTERM.
    case terminate
    /// Send SIGKILL.
    case kill

    /// The rung that it belongs to.
    package var rung: ShutdownRung {
      switch self {
      case .press: .powerButton
      case .runGuestCommand: .guestCommand
      case .quit: .quit
      case .terminate: .terminate
      case .kill: .kill
      }
    }
  }

  package typealias Instant = SuspendingClock.Instant

  /// A press is repeated after these times, the last one again and again: one that came before the
  /// guest's ACPI was up is lost.
  package var pressIntervals: [Duration] = [.seconds(3), .seconds(5), .seconds(10)]
  /// The guest's own command is repeated after this long: its ssh server may not have been up.
  package static let commandInterval = Duration.seconds(10)
  /// How long `quit`, and then SIGTERM, may take when QEMU doesn't say that it is shutting down.
  package static let grace = Duration.seconds(10)
  /// How long a QEMU that nothing can be said to any more has to end by itself.
  package static let farewell = Duration.seconds(5)
  /// How long QEMU may take to end after it said so: it may have much to write to its disks.
  package static let flushGrace = Duration.seconds(60)
  /// A supervisor that says nothing for so long in a shutdown is stuck: the button is pressed every
  /// ten seconds, and QEMU is given a minute to write its disks.
  package static let longestSilence = flushGrace + .seconds(15)

  /// How long the button has before the guest's own command is run; zero for a guest that is known to
  /// ignore the button, nil if there is no such command.
  package var guestCommandDelay: Duration?

  /// Whether QEMU's monitor can be used; else `quit` is a signal.
  package var hasMonitor = true
  /// Whether SIGTERM ends QEMU: one that was started with it blocked heeds SIGKILL alone.
  package var heedsSIGTERM = true

  /// The rung reached; nil until a shutdown is asked for.
  package private(set) var rung: ShutdownRung?
  /// When the shutdown was asked for.
  package private(set) var startedAt: Instant?
  /// How often the button was pressed.
  package private(set) var presses = 0
  private var deadline: Instant?
  private var nextPress: Instant?
  /// How often the button was pressed since the guest was last reset.
  private var pressesInRow = 0
  private var guestCommandDue: Instant?
  private var isShuttingDown = false
  /// Whether QEMU, to which nothing can be said any more, had its time to end by itself.
  private var isLeftAlone = false

  package init() {}

  /// When ``tick(_:)`` has something to do; nil if never.
  package var nextTick: Instant? {
    [deadline, nextPress, guestCommandDue].compactMap(\.self).min()
  }

  /// The VM is to end.
  ///
  /// - Parameters:
  ///   - rung: Where to begin, or to go on to; a lower one than the present is ignored.
  ///   - timeout: How long the guest may take after a press of the button before `quit`.
  ///   - canReact: Whether the guest executes; a stopped one can't obey, so the ladder goes on.
  ///   - now: The time.
  /// - Returns: What to do now.
  package mutating func request(
    _ rung: ShutdownRung, timeout: Duration, canReact: Bool = true, at now: Instant
  ) -> [Action] {
    if startedAt == nil { startedAt = now }
    let wanted = rung == .powerButton && !canReact ? .quit : rung
    if let current = self.rung, wanted <= current {
      // A second request may ask for a shorter timeout, never for a longer one.
      if current <= .guestCommand, let deadline {
        self.deadline = min(deadline, now.advanced(by: timeout))
      }
      return []
    }
    // SHUTDOWN was seen: the guest or `quit` has done its part and QEMU is writing its disks.
    if isShuttingDown, wanted < .kill {
      self.rung = self.rung ?? wanted
      return []
    }
    return climb(to: wanted, timeout: timeout, at: now)
  }

  private mutating func climb(to wanted: ShutdownRung, timeout: Duration, at now: Instant)
    -> [Action]
  {
    let rung = attainable(wanted)
    nextPress = nil
    guestCommandDue = nil
    if rung == .kill, wanted < .kill, !hasMonitor, !isLeftAlone {
      // A QEMU that hung up usually ends at once, and its own end says more than a kill would.
      isLeftAlone = true
      self.rung = .quit
      deadline = now.advanced(by: Self.farewell)
      return []
    }
    self.rung = rung
    switch rung {
    case .powerButton:
      deadline = now.advanced(by: timeout)
      guestCommandDue = guestCommandDelay.map { now.advanced(by: $0) }
      return press(at: now) + commandIfDue(at: now)
    case .guestCommand:
      deadline = now.advanced(by: timeout)
      guestCommandDue = now.advanced(by: Self.commandInterval)
      return [.runGuestCommand]
    case .quit:
      deadline = now.advanced(by: Self.grace)
      return [.quit]
    case .terminate:
      deadline = now.advanced(by: Self.grace)
      return [.terminate]
    case .kill:
      deadline = nil
      return [.kill]
    }
  }

  /// The rung itself, or the next one that can do anything.
  private func attainable(_ wanted: ShutdownRung) -> ShutdownRung {
    switch wanted {
    case .quit where !hasMonitor: attainable(.terminate)
    case .terminate where !heedsSIGTERM: .kill
    default: wanted
    }
  }

  /// Tells the guest by its own command when the button had its time; the presses go on beside it.
  private mutating func commandIfDue(at now: Instant) -> [Action] {
    guard let due = guestCommandDue, due <= now else { return [] }
    guestCommandDue = now.advanced(by: Self.commandInterval)
    rung = .guestCommand
    return [.runGuestCommand]
  }

  private mutating func press(at now: Instant) -> [Action] {
    nextPress = now.advanced(by: pressIntervals[min(pressesInRow, pressIntervals.count - 1)])
    pressesInRow += 1
    presses += 1
    return [.press]
  }

  /// The guest was reset instead of powering off. The requests so far are lost, and are
  /// repeated from the beginning. The timeout for all of it stays as it was.
  ///
  /// - Parameter now: The time.
  /// - Returns: Whether the guest was being asked to power off.
  @discardableResult
  package mutating func guestReset(at now: Instant) -> Bool {
    guard let nextPress, !isShuttingDown else { return false }
    pressesInRow = 0
    // Never later than without the reset: a guest that resets again and again must not escape.
    self.nextPress = min(nextPress, now.advanced(by: pressIntervals[0]))
    return true
  }

  /// The guest can't react any more: its disk is full, or it was stopped.
  package mutating func guestStopped(at now: Instant) -> [Action] {
    guard let rung, rung <= .guestCommand, !isShuttingDown else { return [] }
    return climb(to: .quit, timeout: .zero, at: now)
  }

  /// QEMU reported that the guest is off, and stays itself because of `-no-shutdown`. There is nothing to
  /// wait for, and QEMU exits only on a request.
  package mutating func guestIsOff(at now: Instant) -> [Action] {
    isShuttingDown = false
    guard let rung else {
      deadline = nil
      return []
    }
    return rung < .quit ? climb(to: .quit, timeout: .zero, at: now) : []
  }

  /// The guest executes again after QEMU had reported its shutdown: QEMU has to stay, and the
  /// guest was reset.
  package mutating func guestBeganAnew(at now: Instant) {
    guard isShuttingDown else { return }
    isShuttingDown = false
    guard let rung else {
      deadline = nil
      return
    }
    if rung < .quit { nextPress = now.advanced(by: pressIntervals[0]) }
  }

  /// QEMU said that it shuts down; only its end confirms it.
  package mutating func shutdownSeen(at now: Instant) {
    isShuttingDown = true
    nextPress = nil
    guestCommandDue = nil
    if (rung ?? .powerButton) < .terminate { deadline = now.advanced(by: Self.flushGrace) }
  }

  /// The monitor is gone while QEMU lives: nothing can be said to it any more but by signals.
  package mutating func monitorLost(at now: Instant) -> [Action] {
    guard let rung, rung < .terminate, !isShuttingDown else { return [] }
    hasMonitor = false
    return isLeftAlone ? [] : climb(to: .terminate, timeout: .zero, at: now)
  }

  /// Does what is due.
  package mutating func tick(_ now: Instant) -> [Action] {
    if let deadline, deadline <= now {
      switch rung ?? .powerButton {
      case .powerButton where !isShuttingDown, .guestCommand where !isShuttingDown:
        return climb(to: .quit, timeout: .zero, at: now)
      case .powerButton, .guestCommand: return climb(to: .terminate, timeout: .zero, at: now)
      case .quit: return climb(to: .terminate, timeout: .zero, at: now)
      case .terminate, .kill: return climb(to: .kill, timeout: .zero, at: now)
      }
    }
    let presses = nextPress.map { $0 <= now } ?? false
    return (presses ? press(at: now) : []) + commandIfDue(at: now)
  }
}
