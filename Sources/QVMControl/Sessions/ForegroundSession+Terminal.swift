internal import QMPClient

/// The console on the terminal: attached, suspended (by Ctrl-Z or in a shell's background), detached.
extension ForegroundSession {
  func attachConsole() {
    do throws(QMPError) {
      let console = try SocketTransport(path: vm.runtime.console)
      let inputs = self.inputs
      console.start(on: loop) { inputs.send(.console($0)) }
      self.console = console
    } catch {
      // If the VM has ended meanwhile, the supervisor's report follows at once.
      if FileLock.isHeld(files.vmLock) {
        output.remark("cannot attach the console: \(error); its output is in \(files.console)")
      }
    }
    attachTerminal()
  }

  func attachTerminal() {
    // In the background of a shell another process has the terminal. Touching it would stop this one.
    if let terminal, !terminal.isForeground {
      if isAttached {
        output.leave()
        // Reading its keys would stop this process as well.
        keyboard.stop()
      }
      isAttached = false
      awaitForeground()
      return
    }
    terminal?.passKeys(escape: keys.key)
    output.enter(passesKeys: terminal != nil)
    isAttached = true
    keyboard.read()
  }

  /// Looks again later: no event tells a background job that `fg` has given it the terminal.
  private func awaitForeground() {
    guard foreground == nil else { return }
    let inputs = self.inputs
    foreground = loop.schedule(at: .now.advanced(by: .milliseconds(500))) {
      inputs.send(.lookForTerminal)
    }
  }

  func detachTerminal() {
    if let foreground { loop.cancel(foreground) }
    foreground = nil
    keyboard.stop()
    guard isAttached else { return }
    isAttached = false
    output.leave()
    terminal?.restore()
  }

  func typed(_ bytes: [UInt8]?) async -> ExitStatus? {
    guard let bytes else {
      keyboard.end()
      return nil
    }
    guard terminal != nil else {
      console?.send(bytes)
      keyboard.pauseIfBehind(console)
      return nil
    }
    output.noteTyped(bytes)
    for action in keys.read(bytes) {
      switch action {
      case .send(let bytes): console?.send(bytes)
      case .help: output.remark(keys.help)
      case .detach:
        await supervisor.send(.detach)
        detachTerminal()
        output.remark("detached; \(name) keeps running. 'qvm stop \(name)' ends it")
        return .done
      }
    }
    return nil
  }

  // MARK: - Ctrl-Z, and what the guest writes meanwhile

  /// Ctrl-Z: this process stops, and the VM keeps running. `fg` shows what the guest wrote meanwhile.
  func suspend() {
    guard console != nil else {
      detachTerminal()
      return Signal.stopThisProcess()
    }
    if log == nil { place.findEndOfShown() }
    // A console that is attached and not read would stall the guest.
    console?.close()
    console = nil
    detachTerminal()
    Signal.stopThisProcess()
    followLog()
    if let boot = try? BootRecord.read(files.boot) { SocketRenewal.ensureConsole(boot, files) }
    attachConsole()
  }

  /// Shows the console's log from now on, instead of the console. The guest writes while the console is
  /// attached again, and only the place in the log separates what was shown from what wasn't.
  private func followLog() {
    if log == nil, let watch = try? FileWatch(files.console) {
      let inputs = self.inputs
      let token = loop.watch(watch.descriptor.number, for: .read) {
        watch.clear()
        inputs.send(.logGrew)
      }
      log = (watch, token)
    }
    showLog(isPast: true)
  }

  func stopFollowingLog() {
    if let log { loop.cancel(log.token) }
    log = nil
  }

  /// Shows what is new in the log; if that is very much, only its end.
  ///
  /// - Parameter isPast: Whether the guest wrote it while this was stopped.
  func showLog(isPast: Bool = false) {
    let (leftOut, bytes) = place.takeMissed()
    if leftOut > 0 { output.remark("skipped \(leftOut) bytes; they are in \(files.console)") }
    output.show(bytes, isPast: isPast)
  }
}
