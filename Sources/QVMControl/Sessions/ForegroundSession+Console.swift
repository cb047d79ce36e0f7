internal import QMPClient

/// The console and the terminal.
extension ForegroundSession {
  func attachConsole() {
    do throws(QMPError) {
      let console = try SocketTransport(path: runtime.console)
      let inputs = self.inputs
      console.start(on: loop) { inputs.send(.console($0)) }
      self.console = console
    } catch {
      // One that has ended meanwhile is told of at once.
      if FileLock.isHeld(files.vmLock) {
        output.remark("no console: \(error); it is in \(files.console)")
      }
    }
    attachTerminal()
  }

  func attachTerminal() {
    // In the background of a shell the terminal is somebody else's; touching it would stop us.
    if let terminal, !terminal.isForeground {
      if isAttached { output.leave() }
      // Reading its keys would as well.
      if let typing, isAttached { loop.cancel(typing) }
      (typing, isAttached) = (isAttached ? nil : typing, false)
      awaitForeground()
      return
    }
    terminal?.passKeys(escape: keys.key)
    output.enter(passesKeys: terminal != nil)
    isAttached = true
    if typing == nil { watchTyping() }
  }

  /// No event tells a job that runs in the background that `fg` has given it the terminal.
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
    if let typing { loop.cancel(typing) }
    typing = nil
    guard isAttached else { return }
    isAttached = false
    output.leave()
    terminal?.restore()
  }

  func typed(_ bytes: [UInt8]?) async -> ExitStatus? {
    guard let bytes else {
      // The end of the input is not the end of the guest: it may be run from a script.
      if let typing { loop.cancel(typing) }
      typing = nil
      return nil
    }
    guard terminal != nil else {
      console?.send(bytes)
      pauseTyping()
      return nil
    }
    output.noteTyped(bytes)
    for action in keys.read(bytes) {
      switch action {
      case .send(let bytes): console?.send(bytes)
      case .help: output.remark(keys.help)
      case .detach:
        await supervisor.send(ControlRequest.detach.json)
        detachTerminal()
        output.remark("detached; \(name) runs on. 'qvm stop \(name)' ends it")
        return .done
      }
    }
    return nil
  }

  /// A pipe may hold far more than the guest reads in a while: then it has to wait.
  func pauseTyping() {
    guard let console, console.isBehind, let typing else { return }
    loop.cancel(typing)
    self.typing = nil
    let inputs = self.inputs
    _ = loop.schedule(at: .now.advanced(by: .milliseconds(50))) { inputs.send(.roomToType) }
  }

  func resumeTyping() {
    guard let console, typing == nil else { return }
    if console.isBehind {
      let inputs = self.inputs
      _ = loop.schedule(at: .now.advanced(by: .milliseconds(50))) { inputs.send(.roomToType) }
    } else {
      watchTyping()
    }
  }

  func watchTyping() {
    let inputs = self.inputs
    typing = loop.watch(0, for: .read) { inputs.send(.typed(Files.readSome(0))) }
  }
}
