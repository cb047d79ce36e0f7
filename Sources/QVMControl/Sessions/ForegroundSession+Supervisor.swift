internal import QMPClient

/// What the supervisor says, and what is told of it.
extension ForegroundSession {
  func handle(_ event: ControlEvent) async -> ExitStatus? {
    switch event {
    case .notice(let text): remarkUnlessQuiet(text)
    case .created:
      attachConsole()
      await supervisor.send(ControlRequest.proceed.json)
    case .running(_, _, let accelerator):
      isRunning = true
      // It was running before this attached to it.
      if isAttaching {
        attachConsole()
        position = output.showTail(of: files.console)
      }
      let hints =
        (keys.shutsDown ? ["Ctrl-C shuts it down"] : [])
        + (keys.key.title.map { ["\($0) ? for keys"] } ?? [])
      remarkUnlessQuiet("\(name) is running (\(accelerator)); \(hints.joined(separator: ", "))")
      announceReadiness()
    case .phase(.paused, let reason): output.remark("\(name) is paused (\(reason ?? "unknown"))")
    case .phase(.stopping, _): notifier?.stopping()
    case .phase: break
    case .rung(let rung, let presses):
      notifier?.stopping()
      if rung == ShutdownRung.powerButton.name, presses > 1 {
        output.remark("pressed the power button again (\(presses) times)")
      } else if rung == ShutdownRung.guestCommand.name {
        output.remark("told the guest by ssh to power off")
      } else if rung == ShutdownRung.quit.name, !insistence.isForcing {
        output.remark(presses > 0 ? "\(name) did not react: ending QEMU" : "ending QEMU")
      } else if rung == ShutdownRung.terminate.name {
        output.remark("QEMU did not end by its monitor: sent SIGTERM")
      }
    case .failed(let message, let advice, let status):
      detachTerminal()
      output.remark(([message] + [advice].compactMap(\.self)).joined(separator: "\n"))
      return ExitStatus(rawValue: status)
    case .ended(let outcome, let removed):
      guard files.hasEnded(boot: outcome.token) else { return supervisorLost() }
      ended = (outcome, removed)
      if console == nil { return finish() }
      let inputs = self.inputs
      _ = loop.schedule(at: .now.advanced(by: Self.drainTime)) { inputs.send(.drained) }
    }
    return nil
  }

  func remarkUnlessQuiet(_ text: String) {
    if !isQuiet { output.remark(text) }
  }

  func supervisorLost() -> ExitStatus? {
    guard ended == nil else { return nil }
    detachTerminal()
    switch Reconciliation.loss(of: name, after: previousBoot, in: store) {
    case .ended(let outcome, let removed):
      ended = (outcome, removed)
      return finish()
    case .neverBegan: output.remark(Reconciliation.neverBegan(name, files))
    case .lives:
      output.remark(
        "the supervisor of \(name) was killed; the VM may still run\n"
          + "'qvm status \(name)' tells, 'qvm stop \(name)' ends it")
    }
    return .failed
  }

  func finish() -> ExitStatus {
    guard let ended else { return .failed }
    if log != nil { showLog() }
    output.flush(within: Self.drainTime)
    detachTerminal()
    let sentence = ended.outcome.sentence(name.text, disk: ended.removed ? nil : files.disk)
    if ended.outcome.result == .clean {
      remarkUnlessQuiet(sentence)
    } else {
      output.remark(sentence)
    }
    switch ended.outcome.result {
    case .clean: return endsForOutput && insistence.step == 0 ? .failed : .done
    case .forced where insistence.isForcing: return .interrupted
    default: return .failed
    }
  }
}
