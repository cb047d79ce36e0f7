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
      output.remark("no console: \(error); it is in \(files.console)")
    }
    attachTerminal()
  }

  func attachTerminal() {
    // In the background of a shell the terminal is somebody else's; touching it would stop us.
    if let terminal, !terminal.isForeground { return }
    terminal?.passKeys()
    isAttached = true
    if typing == nil { watchTyping() }
  }

  func detachTerminal() {
    if let typing { loop.cancel(typing) }
    typing = nil
    guard let terminal, isAttached else { return }
    isAttached = false
    terminal.restore()
    // SeaBIOS switches the wrapping of long lines off, and nothing switches it on again.
    output.show(Self.wrapLines)
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
    for action in keys.read(bytes) {
      switch action {
      case .send(let bytes): console?.send(bytes)
      case .help: output.remark(EscapeKeys.help)
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
    guard let console, console.unsentCount > 1 << 16, let typing else { return }
    loop.cancel(typing)
    self.typing = nil
    let inputs = self.inputs
    _ = loop.schedule(at: .now.advanced(by: .milliseconds(50))) { inputs.send(.roomToType) }
  }

  func resumeTyping() {
    guard let console, typing == nil else { return }
    if console.unsentCount > 1 << 16 {
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

  /// Ctrl-Z: this process stops, the VM runs on; `fg` shows what it wrote meanwhile.
  func suspend() {
    // A console that is attached and not read would hold up the guest.
    console?.close()
    detachTerminal()
    Signal.stopThisProcess()
    guard console != nil else { return }
    attachConsole()
    guard let missed = try? LogFile(files.console).read(from: position) else { return }
    position = missed.end
    output.show(missed.bytes)
  }
}
