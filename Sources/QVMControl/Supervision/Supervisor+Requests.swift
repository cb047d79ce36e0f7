internal import QMPClient

/// What clients of `control.sock` want.
extension Supervisor {
  func answer(_ request: ControlRequest, from id: ControlServer.ClientID) {
    switch request {
    // These are answered when QEMU has answered.
    case .status: return answerStatus(to: id)
    case .console: return answerConsole(to: id)
    case .connection:
      clients.subscribe(id)
      return connect(id)
    case .publish(let port): return publish(port, for: id)
    case .unpublish(let port): return unpublish(port, for: id)
    case .resume:
      clients.subscribe(id)
      return resume(for: id)
    case .subscribe:
      clients.subscribe(id)
      clients.sendPhase(to: id)
    case .ready:
      let doubt = readiness.doubt
      clients.send(["ready": .double(doubt.inSeconds)], to: id)
      if doubt == .zero, readiness.confirm() { clients.broadcast(.ready) }
    case .commandEnded: readiness.commandEnded()
    case .proceed: if guest.isHeld { proceed() }
    case .attach: attach(id)
    case .detach:
      guard id == clients.lease else { break }
      clients.lease = nil
      if guest.isHeld { proceed() }
    case .stop(let rung, let timeout):
      clients.subscribe(id)
      // The client knows from it that it was heard.
      clients.sendPhase(to: id)
      stop(rung, timeout: timeout)
    }
    clients.done(id)
  }

  /// Lets a client use the connection to the guest that is held here. It is made first if need be.
  private func connect(_ id: ControlServer.ClientID) {
    let isEnding = shutdown.ladder.rung != nil
    if let mayUse = isEnding ? false : connection.ask(id, instance.ssh, instance.held) {
      answerConnection(mayUse, to: id)
    }
  }

  /// Tells a client whether it may use the connection.
  func answerConnection(_ mayUse: Bool, to id: ControlServer.ClientID) {
    clients.send(["connection": mayUse ? "shared" : "none"], to: id)
    clients.done(id)
  }

  /// Ends the connection, because the guest has ended or begins anew.
  func endConnection() {
    if let id = connection.end() { answerConnection(false, to: id) }
  }

  /// Gives a client the lease, if no other has it.
  private func attach(_ id: ControlServer.ClientID) {
    guard clients.lease == nil || clients.lease == id, clients.isAnnounced,
      shutdown.ladder.rung == nil
    else {
      return clients.send(["attach": "busy"], to: id)
    }
    clients.lease = id
    clients.send(["attach": "done"], to: id)
    clients.subscribe(id)
    clients.send(runningEvent.json, to: id)
    if clients.phase != .running { clients.sendPhase(to: id) }
  }

  /// Tells what only the supervisor knows, with the run state fresh from QEMU.
  private func answerStatus(to id: ControlServer.ClientID) {
    let (phase, known, client) = (clients.phase, guest.runState, monitor.client)
    let reason = phase == .paused ? known.map(pauseText) : clients.phaseReason
    var object: JSONObject = ["phase": .string(phase.rawValue)]
    object["reason"] = reason.map(JSONValue.string)
    object["diskError"] = guest.diskError.map(JSONValue.string)
    object["ready"] = readiness.isReady.map(JSONValue.bool)
    startTask { [object] supervisor in
      var object = object
      do throws(QMPError) {
        let timeout = MonitorLink.statusTimeout
        let fresh = try await client?.execute(QueryStatus(), timeout: timeout).status
        object["runState"] = (fresh ?? known).map { .string($0.rawValue) }
      } catch {
        // Busy with its end it may not answer any more, which is no surprise.
        if case .timedOut = error, phase != .stopping {
          object["phase"] = .string(Phase.unresponsive.rawValue)
          object["reason"] = "QEMU does not answer its monitor"
        }
      }
      supervisor.clients.send(["status": .object(object)], to: id)
      supervisor.clients.done(id)
    }
  }

  /// Tells whether the console is attached somewhere: QEMU serves one client at a time, and lets
  /// further ones wait without an answer.
  private func answerConsole(to id: ControlServer.ClientID) {
    let client = monitor.client
    startTask { supervisor in
      let reply = try? await client?.execute(QueryChardev(), timeout: MonitorLink.statusTimeout)
      let isFree = reply?.devices.first { $0.label == "console" }?.isFree ?? true
      supervisor.clients.send(["console": .string(isFree ? "free" : "busy")], to: id)
      supervisor.clients.done(id)
    }
  }

  /// Resumes the guest, and tells the client what QEMU says to it.
  private func resume(for id: ControlServer.ClientID) {
    guard clients.phase == .paused, shutdown.ladder.rung == nil, let client = monitor.client else {
      let why = "it is \(clients.phase.rawValue)"
      clients.send(["resume": "refused", "why": .string(why)], to: id)
      return clients.done(id)
    }
    startTask { supervisor in
      do throws(QMPError) {
        try await client.execute(Cont(), timeout: MonitorLink.answerTimeout)
        supervisor.clients.send(["resume": "done"], to: id)
      } catch {
        supervisor.clients.send(["resume": "refused", "why": .string("\(error)")], to: id)
      }
      supervisor.clients.done(id)
    }
  }

  /// Replaces the sockets that are gone, for a command that could not connect.
  func renewSockets() {
    guard clients.hasListened, shutdown.evidence.cause == nil, let held = instance.held else {
      return
    }
    let runtime = instance.runtime.isBeside ? RuntimeFolder.of(held) : instance.runtime
    let control = sockets.renewControl(runtime, clients)
    if let report = control.report { clients.notifyAndLog(report) }
    guard control.isThere else { return }
    if let report = sockets.checkMonitor(runtime) { clients.notifyAndLog(report) }
    if let client = monitor.client {
      sockets.renewConsole(runtime, log: held.console, by: client, inputs, on: loop)
    }
  }
}
