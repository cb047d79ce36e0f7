internal import QMPClient

/// Carrying out what the ladder says.
extension Supervisor {
  func stop(_ rung: ShutdownRung, timeout: Int?) async {
    // Before it has answered nobody knows whether the guest can react.
    if plan.kind == .adopt && !isAnnounced || isRescuing {
      pendingStop = (max(rung, pendingStop?.rung ?? rung), timeout)
      return
    }
    if isRetrying, rung == .powerButton { return }
    if rung == .powerButton, ladder.rung == nil, runState == .ioError, !hasRetried, let client {
      // What its disk lacked may be there by now.
      return await retry(client, timeout: timeout)
    }
    let patience = Duration.seconds(timeout ?? boot.shutdownTimeout)
    // Before its first instruction there is no guest to ask.
    let isAsleep = runState == .suspended
    let canReact =
      !isHeld && phase != .starting && (isAsleep || (runState ?? .running) == .running)
    if process == nil { starting?.cancel() }
    if !canReact, rung == .powerButton, let runState, runState != .shutdown, !isHeld {
      await tellOfStandstill(runState)
    }
    if isAsleep, rung == .powerButton, ladder.rung == nil {
      // Asleep it doesn't feel the button; the press that comes while it wakes is repeated.
      await server.broadcast(.notice("the guest sleeps; waking it"))
      await tell(SystemWakeup())
    }
    let before = ladder.rung
    if before == nil {
      ladder.guestCommandDelay = guestCommandDelay(patience)
      if let guest { ladder.pressIntervals = guest.pressIntervals }
    }
    // Without a monitor nobody presses the button: what is left are the guest's own command, and
    // signals.
    ladder.hasMonitor = process == nil || client != nil
    let least: ShutdownRung = canTellBySSH ? .guestCommand : .terminate
    let rung = ladder.hasMonitor ? rung : rung <= least ? least : max(rung, .terminate)
    let actions = ladder.request(rung, timeout: patience, canReact: canReact, at: time.now)
    await setPhase(.stopping, reason: ladder.rung?.name)
    if before == ladder.rung, let now = ladder.rung {
      await server.broadcast(.rung(now.name, presses: ladder.presses))
    }
    await carryOut(actions)
  }

  /// The rung that a signal to this process asks for, nil where it asks for nothing new.
  ///
  /// Where a shutdown was asked for in another way it is the second word: a CI system kills seconds
  /// later. Whoever signals all processes of a job, though, has told the client as well, just now.
  func rung(for signal: Signal) -> ShutdownRung? {
    let rung = insistence.rung(for: signal)
    guard rung == .powerButton, signal != .hangUp, let startedAt = ladder.startedAt,
      startedAt.advanced(by: SignalEchoes.window) <= time.now
    else { return rung }
    return .quit
  }

  func carryOut(_ actions: [ShutdownLadder.Action]) async {
    if phase == .stopping, let rung = ladder.rung { phaseReason = rung.name }
    for action in actions {
      note(action.rung)
      // Whether the guest was told shows only when its command has ended.
      if action != .runGuestCommand {
        // A guest that is off has reacted, whatever QEMU is told then.
        let presses = runState == .shutdown ? 0 : ladder.presses
        await server.broadcast(.rung(action.rung.name, presses: presses))
      }
      switch action {
      case .press: await tell(SystemPowerdown())
      case .runGuestCommand: powerOffBySSH()
      case .quit: await tell(Quit())
      case .terminate:
        evidence.wasTerminated = true
        process?.signal(.terminate)
      case .kill:
        evidence.wasKilled = true
        process?.signal(.kill)
      }
    }
  }

  private func note(_ rung: ShutdownRung) {
    guard let startedAt = ladder.startedAt, !steps.contains(where: { $0.rung == rung.name }) else {
      return
    }
    steps.append(
      Outcome.Step(rung: rung.name, seconds: startedAt.duration(to: time.now).inSeconds))
  }

  /// Sends a command without waiting for its reply: what it does shows in events, and a QEMU that
  /// doesn't answer must not hold up the ladder.
  func tell(_ command: some QMPCommand) async {
    if let client { Self.send(command, to: client, on: loop) }
  }

  /// How long the button is given: no time at all where the guest is known to ignore it, else a
  /// half of what the guest is given in all.
  func guestCommandDelay(_ patience: Duration) -> Duration? {
    guard canTellBySSH, let target else { return nil }
    let obeys = target.operatingSystem.obeysPowerButton(on: target.architecture)
    return obeys ? patience / 2 : .zero
  }

  /// Whether the guest has a command to power off, and a server to run it.
  private var canTellBySSH: Bool { guest?.powerOffCommand != nil && ssh != nil }

  var guest: OperatingSystem? { target?.operatingSystem }

  var ssh: GuestSSH? {
    try? GuestSSH(name.text, target, boot, held ?? files)
  }

  static func send(
    _ command: some QMPCommand, to client: QMPClient, on loop: EventLoop
  ) {
    Task(executorPreference: loop) {
      _ = try? await client.execute(command, timeout: answerTimeout)
    }
  }
}
