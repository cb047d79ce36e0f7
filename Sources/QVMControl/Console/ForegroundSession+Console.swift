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
    if let terminal, !terminal.isForeground {
      // Reading its keys would as well.
      if let typing, isAttached { loop.cancel(typing) }
      (typing, isAttached) = (isAttached ? nil : typing, false)
      awaitForeground()
      return
    }
    terminal?.passKeys()
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
    guard console != nil else {
      detachTerminal()
      return Signal.stopThisProcess()
    }
    if log == nil { position = placeInLog() }
    // A console that is attached and not read would hold up the guest.
    console?.close()
    console = nil
    detachTerminal()
    Signal.stopThisProcess()
    followLog()
    attachConsole()
  }

  /// Where in the log the end of what was shown is, in bytes.
  ///
  /// QEMU writes a byte to its log twice when the console took it only at a second attempt, so the
  /// count of what was shown says a little too few: the last bytes are looked for, from the end.
  private func placeInLog() -> Int {
    let size = Files.information(files.console)?.size ?? 0
    let from = max(position - Self.tailSize, size - (1 << 18), 0)
    guard tail.count == Self.tailSize,
      let bytes = try? Files.read(files.console, from: from), bytes.count >= tail.count
    else { return position }
    var start = bytes.count - tail.count
    while start >= 0 {
      if bytes[start] == tail[0], bytes[start..<start + tail.count].elementsEqual(tail) {
        return from + start + tail.count
      }
      start -= 1
    }
    return position
  }

  /// From now on the console's log is what is shown: the guest writes while the console is attached
  /// again, and only the place in the log tells what was shown before and what wasn't.
  private func followLog() {
    if log == nil, let watch = try? FileWatch(files.console) {
      let inputs = self.inputs
      let token = loop.watch(watch.descriptor.number, for: .read) {
        watch.clear()
        inputs.send(.logGrew)
      }
      log = (watch, token)
    }
    showLog()
  }

  func stopFollowingLog() {
    if let log { loop.cancel(log.token) }
    log = nil
  }

  /// Shows what is new in the log; of very much only the end.
  func showLog() {
    let missed = (Files.information(files.console)?.size ?? 0) - position
    if missed > Self.mostMissed {
      output.remark("\(missed - Self.mostMissed) bytes are only in \(files.console)")
      position += missed - Self.mostMissed
    }
    let bytes = (try? Files.read(files.console, from: position)) ?? []
    position += bytes.count
    output.show(bytes)
  }
}
