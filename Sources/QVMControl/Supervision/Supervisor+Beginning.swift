internal import QMPClient

extension Supervisor {
  /// Takes over what was started; whether that was the last there was to do.
  func begin(_ started: QEMULauncher.Started) async -> Bool {
    boot = started.boot
    process = started.process
    client = started.client
    ladder.heedsSIGTERM = !boot.blocksSignals
    if plan.kind == .adopt {
      memory = MemoryWatch(started.process.pid.flatMap { MemoryGroup(of: $0) })
    }
    let inputs = self.inputs
    let loop = self.loop
    guard started.process.whenEnded({ inputs.send(.ended($0)) }) else {
      await failed(StartError.other(message: "no thread to watch QEMU with", advice: nil))
      return true
    }
    if let events = started.events {
      follow(events)
    } else {
      await setPhase(.unresponsive, reason: "QEMU's monitor is not to be had")
    }
    watchFolder()
    if plan.kind == .boot { await listen() }
    if plan.kind == .adopt {
      if client == nil {
        await announceRunning()
      } else {
        Self.askRunState(client, inputs, on: loop)
      }
    } else if ladder.rung != nil {
      // It was asked to end while it started: no instruction of the guest has run, nor will one.
      await tell(Quit())
    } else if plan.waitsForConsole, lease != nil {
      isHeld = true
      await server.broadcast(.created)
    } else {
      proceed()
    }
    return false
  }

  private func watchFolder() {
    let logs = [files.console, files.qemuLog].map(LogFile.init)
    let (inputs, loop, lock) = (inputs, loop, supervisorLock)
    folderWatch = Task(executorPreference: loop) {
      await FolderWatch.keep(logs, lock, on: loop) { inputs.send(.folderRemoved) }
    }
  }

  func listen() async {
    hasListened = true
    do {
      // A supervisor that was killed has left its own.
      if plan.kind == .adopt { try runtime.prepareControl() }
      try await server.listen(at: runtime.control)
    } catch {
      // The VM can do without; `monitor.sock` remains for whoever wants something of it.
      let why =
        (error as? SystemError)?.explanation ?? (error as? any UserFacingError)?.message
        ?? "\(error)"
      await server.broadcast(.notice("no control socket: \(why)"))
    }
  }

  /// Lets the guest execute its first instruction.
  func proceed() {
    isHeld = false
    // An early request to stop came before there was anything to stop.
    guard ladder.rung == nil else { return }
    if client == nil, !isRescuing {
      awaitEndOfUnknown()
    } else {
      Self.proceed(client, inputs, on: loop)
    }
  }

  /// Tells the clients, once, that the guest executes; what was asked for meanwhile is done now.
  func announceRunning() async {
    if isAnnounced { return }
    isAnnounced = true
    watchReadiness(from: boot.consoleOffset)
    await server.broadcast(runningEvent)
    await stopIfPending()
  }

  var runningEvent: ControlEvent {
    .running(
      sshAddress: boot.sshAddress, sshPort: boot.sshPort, accelerator: boot.accelerator ?? "")
  }

  func setPhase(_ phase: Phase, reason: String? = nil) async {
    guard (self.phase, phaseReason) != (phase, reason) else { return }
    self.phase = phase
    phaseReason = reason
    await server.broadcast(.phase(phase, reason: reason))
  }
}
