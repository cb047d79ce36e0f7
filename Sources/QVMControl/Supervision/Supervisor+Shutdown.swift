internal import QMPClient

/// The shutdown: requests for it, and what the ladder says to do.
extension Supervisor {
  /// Ends the VM.
  ///
  /// - Parameters:
  ///   - rung: Where to begin.
  ///   - timeout: How long the guest may take to power off, in seconds; nil for the boot's.
  func stop(_ rung: ShutdownRung, timeout: Int? = nil) {
    // Before there is an answer it is not known whether the guest can react.
    if plan.kind == .adopt && !clients.isAnnounced || monitor.isFailingOver {
      return shutdown.postpone(rung, timeout: timeout)
    }
    let (before, runState) = (shutdown.ladder.rung, guest.runState)
    if shutdown.resumption == .underway, rung == .powerButton { return }
    if rung == .powerButton, before == nil, runState == .ioError, shutdown.resumption == .notTried,
      monitor.client != nil
    {
      // What its disk lacked may be there by now.
      return resumeToPowerOff(timeout: timeout)
    }
    let limit = Duration.seconds(timeout ?? instance.boot.shutdownTimeout)
    // Before its first instruction there is no guest to ask.
    let isAsleep = runState == .suspended
    let canReact =
      !guest.isHeld && clients.phase != .starting
      && (isAsleep || (runState ?? .running) == .running)
    if case .starting(let task) = qemu { task?.cancel() }
    if !canReact, rung == .powerButton, let runState, runState != .shutdown, !guest.isHeld {
      reportStandstill(runState)
    }
    if isAsleep, rung == .powerButton, before == nil {
      // Asleep it doesn't feel the button; the press that comes while it wakes is repeated.
      clients.notify("the guest sleeps; waking it")
      monitor.send(SystemWakeup())
    }
    if before == nil {
      shutdown.ladder.guestCommandDelay = instance.commandDelay(timeout: limit)
      if let system = instance.operatingSystem {
        shutdown.ladder.pressIntervals = system.pressIntervals
      }
    }
    // Without a monitor the button can't be pressed: the guest's own command and signals are left.
    shutdown.ladder.hasMonitor = !monitor.isOutOfReach
    let least: ShutdownRung = instance.canBeToldBySSH ? .guestCommand : .terminate
    let rung = !monitor.isOutOfReach ? rung : rung <= least ? least : max(rung, .terminate)
    let actions = shutdown.ladder.request(
      rung, timeout: limit, canReact: canReact, at: shutdown.clock.now)
    clients.setPhase(.stopping, reason: shutdown.ladder.rung?.name)
    if before == shutdown.ladder.rung, let now = shutdown.ladder.rung {
      clients.broadcast(.rung(now.name, presses: shutdown.ladder.presses))
    }
    carryOut(actions)
  }

  /// Carries out the request that came before it was known how to reach QEMU.
  func stopIfPostponed() {
    guard let request = shutdown.takePostponed() else { return }
    stop(request.rung, timeout: request.timeout)
  }

  /// The folder was removed while the VM runs: no command finds it there any more to end it, and what
  /// its guest writes is lost.
  func folderRemoved() {
    clients.notifyAndLog(
      "the folder \(instance.files.folder) was removed; shutting the guest down")
    stop(.powerButton)
  }

  func carryOut(_ actions: [ShutdownLadder.Action]) {
    if let rung = shutdown.ladder.rung { clients.noteRung(rung) }
    for action in actions {
      shutdown.note(action.rung)
      // Whether the guest got its command shows only when that has ended.
      if action != .runGuestCommand {
        // A guest that is off has reacted, whatever QEMU is asked to do then.
        let presses = guest.runState == .shutdown ? 0 : shutdown.ladder.presses
        clients.broadcast(.rung(action.rung.name, presses: presses))
      }
      switch action {
      case .press: monitor.send(SystemPowerdown())
      case .runGuestCommand:
        if let ssh = instance.ssh, let command = instance.operatingSystem?.powerOffCommand {
          shutdown.command.run(command, by: ssh, inputs, on: loop)
        }
      case .quit: monitor.send(Quit())
      case .terminate:
        shutdown.evidence.wasTerminated = true
        signal(.terminate)
      case .kill:
        shutdown.evidence.wasKilled = true
        signal(.kill)
      }
    }
  }

  private func signal(_ signal: Signal) {
    if case .started(let process) = qemu { process.signal(signal) }
  }

  // MARK: - The guest's own command

  /// Reports, once, whether the guest got its command, and why not.
  func guestCommandEnded(_ output: Subprocess.Output) {
    // A guest that has shut down meanwhile got it, or did not need it.
    guard shutdown.evidence.cause == nil, shutdown.hasRunCommand else { return }
    guard let failure = GuestPowerOffCommand.failure(of: output) else {
      shutdown.noteCommand(failure: nil)
      if shutdown.command.succeeded() {
        clients.broadcast(
          .rung(ShutdownRung.guestCommand.name, presses: shutdown.ladder.presses))
      }
      return
    }
    guard !shutdown.command.hasReportedSuccess else { return }
    shutdown.noteCommand(failure: failure)
    if shutdown.command.failed() {
      clients.notify("could not tell the guest by ssh to power off: \(failure)")
    }
    // Nothing else would reach the guest, however long it were given.
    if !shutdown.ladder.hasMonitor, shutdown.command.isHopeless {
      carryOut(shutdown.ladder.request(.terminate, timeout: .zero, at: shutdown.clock.now))
    }
  }

  // MARK: - A guest that stands still

  /// Resumes a guest that is to power off.
  private func resumeToPowerOff(timeout: Int?) {
    shutdown.resumption = .underway
    clients.notify(
      "the guest is stopped (\(pauseText(.ioError))); letting it go on to power off")
    monitor.ask(Cont()) { .resumedToPowerOff($0.error, timeout: timeout) }
  }

  /// Has it power off; what stops it again ends QEMU.
  func resumedToPowerOff(_ error: QMPError?, timeout: Int?) {
    shutdown.resumption = .done
    if error == nil, guest.runState == .ioError { guest.runState = .running }
    stop(.powerButton, timeout: timeout)
    // It may have been stopped again before the button was pressed.
    monitor.askRunState()
  }

  /// Reports that nothing can be expected of the guest, and remembers it if its disk is why: then
  /// what it writes is lost with QEMU.
  func reportStandstill(_ state: RunState) {
    if state == .ioError { shutdown.evidence.isStalledByDisk = true }
    clients.notify("the guest is stopped and can't react (\(pauseText(state)))")
  }

  // MARK: - Time

  /// Takes in what the time is.
  func lookAtClock() {
    if shutdown.clock.look(at: .now, isAskingGuest: shutdown.isAskingGuest) {
      clients.notify("QEMU does not answer its monitor; giving it time")
    }
  }

  /// Asks QEMU for a sign of life.
  func askPulse() {
    guard shutdown.isAskingGuest, !shutdown.clock.awaitsAnswer, monitor.client != nil else {
      return
    }
    shutdown.clock.asked(at: .now)
    monitor.askPulse()
  }
}

extension Result {
  fileprivate var error: Failure? {
    if case .failure(let error) = self { error } else { nil }
  }
}
