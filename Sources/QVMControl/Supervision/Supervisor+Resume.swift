internal import QMPClient

/// A guest that stands still, and lets itself be started again.
extension Supervisor {
  /// The reason as it is now: how much room there is changes.
  func pauseText(_ state: RunState) -> String {
    pauseReason.text(state, folder: files.folder, free: Files.freeSpace(at: files.folder))
  }

  /// Tells those who watch what they can do about it.
  func announcePause(_ state: RunState) async {
    guard state == .ioError else { return }
    if !pauseReason.isKnown { Self.askDisks(client, inputs, on: loop) }
    let condition =
      pauseReason.isDiskFull || !pauseReason.isKnown ? "there is room" : "that is mended"
    await server.broadcast(
      .notice("once \(condition), 'qvm start \(name)' lets the guest go on"))
  }

  /// Asks QEMU what it knows of its disks: what was said before this process listened is lost.
  private static func askDisks(
    _ client: QMPClient?, _ inputs: Mailbox<Input>, on loop: EventLoop
  ) {
    guard let client else { return }
    Task(executorPreference: loop) {
      guard let reply = try? await client.execute(QueryBlock(), timeout: answerTimeout) else {
        return
      }
      inputs.send(.disks(reply.devices))
    }
  }

  /// Takes in the answer.
  func take(_ devices: [BlockDevice]) async {
    pauseReason.note(devices)
    if phase == .paused, let runState { await setPhase(.paused, reason: pauseText(runState)) }
  }

  /// Lets a guest go on that is to power off.
  func retry(_ client: QMPClient, timeout: Int?) async {
    (hasRetried, isRetrying) = (true, true)
    await server.broadcast(
      .notice("the guest is stopped (\(pauseText(.ioError))); letting it go on to power off"))
    Self.retry(client, timeout: timeout, inputs, on: loop)
  }

  private static func retry(
    _ client: QMPClient, timeout: Int?, _ inputs: Mailbox<Input>, on loop: EventLoop
  ) {
    Task(executorPreference: loop) {
      do throws(QMPError) {
        try await client.execute(Cont(), timeout: answerTimeout)
        inputs.send(.retried(nil, timeout: timeout))
      } catch {
        inputs.send(.retried(error, timeout: timeout))
      }
    }
  }

  /// Has it power off; what stops it again ends QEMU.
  func retried(_ error: QMPError?, timeout: Int?) async {
    isRetrying = false
    if error == nil, runState == .ioError { runState = .running }
    await stop(.powerButton, timeout: timeout)
    // It may have been stopped again before the button was pressed.
    Self.askRunState(client, inputs, on: loop)
  }

  /// Tells that nothing can be expected of the guest, and remembers it where its disk is why: then
  /// writes of its are lost with QEMU.
  func tellOfStandstill(_ state: RunState) async {
    if state == .ioError { evidence.isStalledByDisk = true }
    await server.broadcast(
      .notice("the guest is stopped and can't react (\(pauseText(state)))"))
  }

  /// Lets the guest go on, and tells the client what QEMU says to it.
  func resume(for id: ControlServer.ClientID) async {
    guard phase == .paused, ladder.rung == nil, let client else {
      let why = "it is \(phase.rawValue)"
      await server.send(["resume": "refused", "why": .string(why)], to: id)
      return await server.done(id)
    }
    Self.resume(client, server: server, for: id, on: loop)
  }

  static func resume(
    _ client: QMPClient, server: ControlServer, for id: ControlServer.ClientID,
    on loop: EventLoop
  ) {
    Task(executorPreference: loop) {
      do throws(QMPError) {
        try await client.execute(Cont(), timeout: answerTimeout)
        await server.send(["resume": "done"], to: id)
      } catch {
        await server.send(["resume": "refused", "why": .string("\(error)")], to: id)
      }
      await server.done(id)
    }
  }
}
