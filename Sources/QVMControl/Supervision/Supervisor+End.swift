internal import QMPClient

/// The end of QEMU, and what is done after it.
extension Supervisor {
  /// QEMU could not be started, or not adopted.
  func failed(_ error: any Error) {
    let failure = error as? any UserFacingError
    let message = failure?.message ?? "\(error)"
    if plan.kind == .boot {
      let token = instance.boot.token
      // Without a record of this boot an outcome of it would make the last one's look open.
      if let held = instance.held, held.bootToken == token {
        let firstLine = String(message.prefix { !$0.isNewline })
        record(Outcome(token: token, result: .failedToStart, reason: firstLine))
      }
      instance.removeSockets()
      _ = instance.remove(.unused(madeForThisBoot: plan.isFirst))
    }
    instance.release()
    clients.broadcast(
      .failed(
        message: message, advice: failure?.advice,
        status: (failure?.exitStatus ?? .failed).rawValue))
  }

  /// QEMU has ended for certain: say how it went, and do what was to be done then.
  func ended(_ end: VMProcess.End) async {
    // What QEMU said last may still be on its way through the loop.
    await monitor.drain()
    while let input = inputs.poll() {
      guard case .event(let event) = input else { continue }
      shutdown.evidence.note(event)
      _ = guest.note(event)
    }
    await monitor.client?.close()
    await sockets.finish()
    if let ssh = connection.stop() { await HeldConnection.untilExited(ssh, on: loop) }
    shutdown.command.cancel()
    clients.stopListening()

    let outcome = outcome(of: end)
    if shutdown.evidence.isEndUnheard,
      !QEMUArguments(instance.boot.command).staysAfterShutdown
    {
      // QEMU was told by its monitor to stay, and perhaps also to end after a reset of the guest.
      instance.keep()
    }
    // It may have been removed already.
    let isGone = instance.held == nil
    record(outcome)
    instance.removeSockets()
    let isRemoved = instance.remove(.ended(instance.boot, outcome)) || isGone
    // Clients that are told next find it free.
    instance.release()
    clients.broadcast(.ended(outcome, removed: isRemoved))
  }

  private func outcome(of end: VMProcess.End) -> Outcome {
    let (boot, evidence) = (instance.boot, shutdown.evidence)
    var outcome = Outcome(token: boot.token, result: .unknown, reason: "")
    switch end {
    case .reaped(let end):
      (outcome.result, outcome.reason) = evidence.verdict(end)
      switch end {
      case .exited(let status): outcome.exitStatus = status
      case .signalled(let signal):
        outcome.signal = signal
        // QEMU has the limit of this process.
        outcome.isWithoutCore = CoreDump.belongs(to: signal) && CoreDump.isForbidden
      }
    case .unobserved(let lock):
      instance.vmLock = lock
      // QEMU removes it from where it was made.
      let files = instance.files
      let pidFileRemains = !instance.isMoved && Files.exists(boot.pidFile(in: files))
      (outcome.result, outcome.reason) = evidence.verdict(pidFileRemains: pidFileRemains)
      if evidence.wasKilled, pidFileRemains { outcome.signal = Signal.kill.rawValue }
    }
    if outcome.result == .crashed, ["qemu-signal-9", "qemu-killed"].contains(outcome.reason),
      let pid = boot.knownPid, let kill = memory.verdict(on: pid, start: boot.start)
    {
      (outcome.reason, outcome.memoryKill) = (Outcome.outOfMemory, kill)
    }
    outcome.diskError = guest.diskError
    if !boot.wasGreeted, evidence.cause == nil { outcome = .unfinishedStart(boot) }
    shutdown.complete(&outcome)
    return outcome
  }

  private func record(_ outcome: Outcome) {
    for report in instance.record(outcome) { clients.notifyAndLog(report) }
  }
}
