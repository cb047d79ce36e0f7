internal import QMPClient

extension Supervisor {
  /// QEMU could not be started, or not taken over.
  func failed(_ error: any Error) async {
    let failure = error as? any UserFacingError
    let message = failure?.message ?? "\(error)"
    if plan.kind == .boot {
      // Without a record of this boot an outcome of it would make the last one's look open.
      if let held, (try? BootRecord.read(held.boot))?.token == boot.token {
        await record(
          Outcome(token: boot.token, result: .failedToStart, reason: Self.firstLine(message)))
      }
      removeSockets()
      removeInstance(.unused(madeForThisBoot: plan.isFirst))
    }
    release()
    await server.broadcast(
      .failed(
        message: message, advice: failure?.advice,
        status: (failure?.exitStatus ?? .failed).rawValue))
  }

  private static func firstLine(_ text: String) -> String {
    String(text.prefix { !$0.isNewline })
  }

  /// QEMU is gone for certain: say how it went, and do what was to be done then.
  func ended(_ end: VMProcess.End) async {
    // What QEMU said last may still be on its way through the loop. It hung up, unless a child of
    // its own has inherited the monitor and lives on.
    let reporter = self.reporter
    let drained = loop.schedule(at: .now.advanced(by: Self.drainTime)) { reporter?.cancel() }
    await reporter?.value
    loop.cancel(drained)
    while let input = inputs.poll() { take(last: input) }
    await client?.close()
    await consoleRenewal?.value
    guestCommand?.cancel()
    await server.stopListening()

    let verdict: (result: Outcome.Result, reason: String)
    var outcome = Outcome(token: boot.token, result: .unknown, reason: "")
    switch end {
    case .reaped(let end):
      verdict = evidence.verdict(end)
      switch end {
      case .exited(let status): outcome.exitStatus = status
      case .signalled(let signal):
        outcome.signal = signal
        // QEMU has the limit of this process.
        outcome.isWithoutCore = CoreDump.belongs(to: signal) && CoreDump.isForbidden
      }
    case .unobserved(let lock):
      vmLock = lock
      // QEMU removes it from where it was made.
      let pidFileRemains = held == files && Files.exists(boot.pidFile(in: files))
      verdict = evidence.verdict(pidFileRemains: pidFileRemains)
      if evidence.wasKilled, pidFileRemains { outcome.signal = Signal.kill.rawValue }
    }
    (outcome.result, outcome.reason) = verdict
    if outcome.result == .crashed, ["qemu-signal-9", "qemu-killed"].contains(outcome.reason),
      let pid = boot.knownPid, let kill = memory.verdict(on: pid, start: boot.start)
    {
      (outcome.reason, outcome.memoryKill) = (Outcome.outOfMemory, kill)
    }
    outcome.diskError = diskError
    if !boot.wasGreeted, evidence.cause == nil { outcome = .unfinishedStart(boot) }
    if let startedAt = ladder.startedAt {
      outcome.rung = ladder.rung?.name
      outcome.seconds = startedAt.duration(to: time.now).inSeconds
      outcome.steps = steps
      outcome.presses = ladder.presses
    }
    if evidence.isEndUnheard, !QEMUArguments(boot.command).staysAfterShutdown {
      // Somebody has told QEMU by its monitor to stay, and may have had a reset of the guest end it, too.
      boot.removeOnShutdown = false
      if let held { try? JSONFile.write(boot.json, to: held.boot) }
    }
    // Somebody may have removed it already.
    let isGone = supervisorLock.isRemoved
    await record(outcome)
    removeSockets()
    let removed = removeInstance(.ended(boot, outcome)) || isGone
    release()
    await server.broadcast(.ended(outcome, removed: removed))
  }

  /// Takes in what QEMU said last.
  private func take(last input: Input) {
    guard case .event(let event) = input else { return }
    evidence.note(event)
    pauseReason.note(event)
    _ = diskTrouble.note(event)
  }

  /// The files of the instance where they are now; nil where they were removed. Under its name there
  /// may be another instance by now, which is not this supervisor's to touch.
  var held: InstanceFiles? { supervisorLock.folder.map(InstanceFiles.init) }

  /// Somebody has removed the folder while the VM runs: nobody finds it there any more to end it, and
  /// what its guest writes is lost.
  func folderRemoved() async {
    let text = "the folder \(files.folder) was removed; shutting the guest down"
    log(text)
    await server.broadcast(.notice(text))
    await stop(.powerButton, timeout: nil)
  }

  /// Removes the sockets of this boot.
  private func removeSockets() {
    if !runtime.isBeside || supervisorLock.isFile(at: files.supervisorLock) {
      return runtime.remove()
    }
    // The short link may be another instance's by now.
    if let held { RuntimeFolder(path: held.folder).removeSockets() }
  }

  /// Writes down how it ended.
  private func record(_ outcome: Outcome) async {
    guard let held else {
      return log("the folder \(files.folder) was removed while the VM ran")
    }
    if held != files {
      let text = "the folder \(files.folder) was moved to \(held.folder), where the disk stays"
      log(text)
      // Whoever looks next is told the same.
      boot.removeOnShutdown = false
      try? JSONFile.write(boot.json, to: held.boot)
      await server.broadcast(.notice(text))
    }
    do throws(FileError) {
      try JSONFile.write(outcome.json, to: held.outcome)
    } catch {
      // The disk may be full or gone. The next command looks where it is kept, and then judges by
      // what else it finds.
      try? KeptOutcome.write(outcome, of: held)
      log(error.message)
      await server.broadcast(.notice(error.message))
    }
  }

  @discardableResult
  private func removeInstance(_ disk: RemovalPolicy.Disk) -> Bool {
    guard RemovalPolicy.removes(disk, isMoved: held != files), let vmLock else { return false }
    do throws(FileError) {
      try store.remove(name, holding: vmLock)
      return true
    } catch {
      log(error.message)
      return false
    }
  }

  /// From now on other commands may have the instance; those who are told next find it free.
  private func release() {
    supervisorLock.release()
    vmLock?.release()
  }

  func log(_ text: String) {
    _ = Files.writeSome(Array("\(Timestamp.now) \(ForeignText.lines(text))\n".utf8)[...], to: 2)
  }
}
