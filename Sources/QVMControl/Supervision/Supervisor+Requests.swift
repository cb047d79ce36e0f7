internal import QMPClient

/// What clients of `control.sock` want.
extension Supervisor {
  func answer(
    _ request: ControlRequest, from id: ControlServer.ClientID
  ) async {
    switch request {
    // These are answered when QEMU has answered.
    case .status: return answerStatus(to: id)
    case .console: return Self.sendConsole(client: client, server: server, to: id, on: loop)
    case .subscribe:
      await server.subscribe(id)
      await server.send(ControlEvent.phase(phase, reason: phaseReason).json, to: id)
    case .ready: seenReady()
    case .proceed: if isHeld { proceed() }
    case .resume:
      await server.subscribe(id)
      return await resume(for: id)
    case .attach: await attach(id)
    case .detach:
      guard id == lease else { break }
      lease = nil
      if isHeld { proceed() }
    case .stop(let rung, let timeout):
      await server.subscribe(id)
      // Whoever asked knows from it that it was heard.
      await server.send(ControlEvent.phase(phase, reason: phaseReason).json, to: id)
      await stop(rung, timeout: timeout)
    }
    await server.done(id)
  }

  /// Gives a client the lease that nobody holds.
  private func attach(_ id: ControlServer.ClientID) async {
    guard lease == nil || lease == id, isAnnounced, ladder.rung == nil else {
      return await server.send(["attach": "busy"], to: id)
    }
    lease = id
    await server.send(["attach": "done"], to: id)
    await server.subscribe(id)
    await server.send(runningEvent.json, to: id)
    if phase != .running {
      await server.send(ControlEvent.phase(phase, reason: phaseReason).json, to: id)
    }
  }

  /// Tells what only the supervisor knows, with the run state fresh from QEMU.
  func answerStatus(to id: ControlServer.ClientID) {
    let reason = phase == .paused ? runState.map(pauseText) : phaseReason
    var object: JSONObject = ["phase": .string(phase.rawValue)]
    object["reason"] = reason.map(JSONValue.string)
    object["diskError"] = diskError.map(JSONValue.string)
    object["ready"] = isReady.map(JSONValue.bool)
    Self.sendStatus(
      object, phase, runState, client: client, server: server, to: id, on: loop)
  }

  /// What QEMU could not read or write: what the guest was told, or what it stands still for.
  var diskError: String? { diskTrouble.text ?? pauseReason.failure }

  static func sendStatus(
    _ object: JSONObject, _ phase: Phase, _ known: RunState?, client: QMPClient?,
    server: ControlServer, to id: ControlServer.ClientID, on loop: EventLoop
  ) {
    // In a task of its own: a QEMU that is silent must not hold up the supervisor.
    Task(executorPreference: loop) {
      var object = object
      do throws(QMPError) {
        let fresh = try await client?.execute(QueryStatus(), timeout: statusTimeout).status
        object["runState"] = (fresh ?? known).map { .string($0.rawValue) }
      } catch {
        // Busy with its end it may not answer any more, which is no surprise.
        if case .timedOut = error, phase != .stopping {
          object["phase"] = .string(Phase.unresponsive.rawValue)
          object["reason"] = "QEMU does not answer its monitor"
        }
      }
      await server.send(["status": .object(object)], to: id)
      await server.done(id)
    }
  }

  /// Tells whether the console is attached somewhere: QEMU serves one client at a time, and lets
  /// further ones wait without a word.
  static func sendConsole(
    client: QMPClient?, server: ControlServer, to id: ControlServer.ClientID, on loop: EventLoop
  ) {
    Task(executorPreference: loop) {
      let devices = try? await client?.execute("query-chardev", timeout: statusTimeout)
      let console = devices?.array?.first { $0["label"]?.string == "console" }
      let isFree = console?["filename"]?.string?.hasPrefix("disconnected:") ?? true
      await server.send(["console": .string(isFree ? "free" : "busy")], to: id)
      await server.done(id)
    }
  }
}
