internal import QMPClient

/// What QEMU says by its monitor, and the loss of the monitor.
extension Supervisor {
  func take(_ event: QMPEvent) {
    shutdown.evidence.note(event)
    if let text = guest.note(event) { clients.notify(text) }
    switch event.name {
    case "SHUTDOWN":
      shutdown.ladder.shutdownSeen(at: shutdown.clock.now)
      clients.setPhase(.stopping, reason: shutdown.evidence.cause?.rawValue)
      endConnection()
    case "RESET":
      // First the reason, then what follows from it.
      clients.broadcast(.reset)
      endConnection()
      readiness.begin(
        instance.readySign(from: Files.information(instance.files.console)?.size ?? 0))
      shutdown.ladder.guestBeganAnew(at: shutdown.clock.now)
      // One that was off is not any more, and no other event says so.
      if let runState = guest.runState, !runState.executes { monitor.askRunState() }
      if shutdown.guestReset() {
        clients.notify("the guest restarted instead of powering off")
      }
    case "RESUME":
      shutdown.ladder.guestBeganAnew(at: shutdown.clock.now)
      monitor.askRunState()
    case "STOP", "SUSPEND", "WAKEUP": monitor.askRunState()
    default: break
    }
  }

  /// Derives the phase from the run state.
  func take(_ answer: Result<RunState, QMPError>) {
    switch answer {
    case .failure(let error):
      // The end of the monitor comes in by itself, and what follows from it.
      if error.endsConnection { return }
      if case .timedOut = error, shutdown.ladder.rung == nil {
        clients.setPhase(.unresponsive, reason: "QEMU does not answer its monitor")
        // It may only have been held up: then this is answered.
        monitor.askRunState(timeout: nil)
      }
    case .success(let state):
      guest.runState = state
      shutdown.evidence.note(state)
      if state == .shutdown { carryOut(shutdown.ladder.guestIsOff(at: shutdown.clock.now)) }
      if shutdown.ladder.rung != nil {
        clients.setPhase(.stopping, reason: shutdown.ladder.rung?.name)
        // A guest that is stopped cannot react, but QEMU can still end itself.
        if !state.executes {
          let actions = shutdown.ladder.guestStopped(at: shutdown.clock.now)
          if !actions.isEmpty, state == .ioError { reportStandstill(state) }
          carryOut(actions)
        }
      } else if state.executes {
        clients.setPhase(.running)
      } else {
        let wasPaused = clients.phase == .paused
        clients.setPhase(.paused, reason: pauseText(state))
        if !wasPaused { reportPause(state) }
      }
    }
    announceRunning()
  }

  // MARK: - A guest that stands still

  func pauseText(_ state: RunState) -> String {
    guest.pauseText(state, folder: instance.files.folder)
  }

  /// Reports how the guest can be resumed.
  private func reportPause(_ state: RunState) {
    guard state == .ioError else { return }
    if !guest.isPauseExplained { monitor.askDisks() }
    clients.notify(
      "once \(guest.resumeCondition), 'qvm start \(instance.name)' lets the guest go on")
  }

  func take(_ devices: [BlockDevice]) {
    guest.note(devices)
    if clients.phase == .paused, let runState = guest.runState {
      clients.setPhase(.paused, reason: pauseText(runState))
    }
  }

  // MARK: - Failover

  func monitorLost() {
    monitor.lose()
    guest.runState = nil
    // In an orderly end QEMU hangs up, too, after it has said so.
    if shutdown.evidence.cause == nil, monitor.failOver() { return }
    monitorGone()
  }

  /// Continues with the second monitor; with signals alone if that is unavailable, too.
  func failedOver(_ failover: MonitorFailover?) {
    guard monitor.failedOver(failover) else { return monitorGone() }
    clients.notifyAndLog(
      "QEMU closed its monitor; connected to \(instance.runtime.monitor) instead")
    // The last command may not have reached it.
    if shutdown.ladder.rung == .quit { monitor.send(Quit()) }
    switch guest.start {
    case .proceeded: monitor.askRunState()
    case .notBegun, .released: proceed()
    case .held: break
    }
    stopIfPostponed()
  }

  private func monitorGone() {
    // Usually QEMU's end follows at once.
    carryOut(shutdown.ladder.monitorLost(at: shutdown.clock.now))
    if clients.phase != .stopping {
      clients.setPhase(.unresponsive, reason: "QEMU closed its monitor")
    }
    if shutdown.evidence.cause == nil { awaitEndOfUnknown() }
    stopIfPostponed()
  }
}
