internal import QMPClient

/// The start, up to the guest's first instruction.
extension Supervisor {
  /// Takes over what was started; whether there is nothing else to do.
  func begin(_ started: QEMULauncher.Started) -> Bool {
    instance.boot = started.boot
    qemu = .started(started.process)
    shutdown.ladder.heedsSIGTERM = !instance.boot.blocksSignals
    if plan.kind == .adopt {
      memory = MemoryWatch(started.process.pid.flatMap { MemoryGroup(of: $0) })
    }
    guard started.process.whenEnded({ [inputs] in inputs.send(.ended($0)) }) else {
      failed(StartError.other(message: "no thread to watch QEMU with", advice: nil))
      return true
    }
    monitor.begin(started.client, started.events)
    if started.events == nil {
      clients.setPhase(.unresponsive, reason: "QEMU's monitor is not to be had")
    }
    watchFolder()
    if plan.kind == .boot { listen() }
    if plan.kind == .adopt {
      if monitor.client == nil { announceRunning() } else { monitor.askRunState() }
    } else if shutdown.ladder.rung != nil {
      // It was asked to end while it started: no instruction of the guest has run, nor will one.
      monitor.send(Quit())
    } else if plan.waitsForConsole, clients.lease != nil {
      guest.start = .held
      clients.broadcast(.created)
    } else {
      proceed()
    }
    return false
  }

  private func watchFolder() {
    let logs = [instance.files.console, instance.files.qemuLog].map(LogFile.init)
    let locks = [instance.supervisorLock.path, instance.files.vmLock]
    folderWatch = Task(executorPreference: loop) { [inputs, loop] in
      await FolderWatch.keep(logs, locks, on: loop) { [weak self] in
        await self?.instance.held == nil
      } removed: {
        inputs.send(.folderRemoved)
      }
    }
  }

  func listen() {
    clients.beginListening()
    do {
      // A supervisor that was killed has left its own.
      if plan.kind == .adopt { try instance.runtime.prepareControl() }
      try clients.listen(at: instance.runtime.control)
    } catch {
      // The VM can do without; `monitor.sock` is left.
      clients.notify("no control socket: \(error.why)")
    }
  }

  /// Lets the guest execute its first instruction.
  func proceed() {
    guest.start = .released
    // An early request to stop came before there was anything to stop.
    guard shutdown.ladder.rung == nil else { return }
    guard let client = monitor.client else {
      // During a failover it is done when there is another monitor.
      if !monitor.isFailingOver { awaitEndOfUnknown() }
      return
    }
    startTask { supervisor in
      do throws(QMPError) {
        try await client.execute(Cont(), timeout: MonitorLink.answerTimeout)
        supervisor.inputs.send(.proceeded(nil))
      } catch {
        supervisor.inputs.send(.proceeded(error))
      }
      supervisor.monitor.askRunState(of: client)
    }
  }

  /// If QEMU hung up before it said whether the guest executes that stays unknown, unless it ends,
  /// which usually follows within milliseconds and says more.
  func awaitEndOfUnknown() {
    guard !clients.isAnnounced, !guest.isHeld else { return }
    _ = loop.schedule(at: .now.advanced(by: MonitorLink.drainTime)) { [inputs] in
      inputs.send(.stillUnknown)
    }
  }

  /// Has the clients that wait for the guest's start wait no longer.
  func stillUnknown() {
    guard !clients.isAnnounced, monitor.client == nil, !monitor.isFailingOver else { return }
    clients.notify(
      "QEMU closed its monitor; whether the guest of \(instance.name) executes is not known")
    announceRunning()
  }

  /// Tells the clients, once, that the guest executes; what was asked for meanwhile is done now.
  func announceRunning() {
    guard clients.announce() else { return }
    readiness.begin(instance.readySign(from: instance.boot.consoleOffset))
    clients.broadcast(runningEvent)
    stopIfPostponed()
  }

  var runningEvent: ControlEvent {
    let boot = instance.boot
    return .running(
      sshAddress: boot.sshAddress, sshPort: boot.sshPort, accelerator: boot.accelerator ?? "")
  }
}
