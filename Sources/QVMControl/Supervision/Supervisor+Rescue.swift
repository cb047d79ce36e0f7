internal import QMPClient

/// A monitor that was lost while QEMU lives: there is a second one.
extension Supervisor {
  /// How long that may take to answer; it answers at once, or somebody else is connected to it.
  private static let rescueTimeout = Duration.seconds(2)
  /// A QEMU that hangs up more often than this is ended by signals, if it is to end.
  private static let mostRescues = 3

  /// A new connection to a QEMU whose monitor was lost.
  struct Rescue: Sendable {
    let client: QMPClient
    let events: QMPEvents
  }

  func monitorLost() async {
    client = nil
    runState = nil
    // In an orderly end QEMU hangs up, too, after it has said so.
    guard evidence.cause == nil, rescues < Self.mostRescues else { return await monitorGone() }
    rescues += 1
    isRescuing = true
    Self.rescue(by: runtime, inputs, on: loop)
  }

  private static func rescue(
    by runtime: RuntimeFolder, _ inputs: Mailbox<Input>, on loop: EventLoop
  ) {
    Task(executorPreference: loop) {
      do throws(QMPError) {
        let client = try await QMPClient.connect(
          over: SocketTransport(try runtime.connectToMonitor()), on: loop, timeout: rescueTimeout)
        inputs.send(.rescued(Rescue(client: client, events: await client.events())))
      } catch {
        inputs.send(.rescued(nil))
      }
    }
  }

  /// Goes on by the second monitor; by signals alone where that isn't to be had either.
  func rescued(_ rescue: Rescue?) async {
    isRescuing = false
    guard let rescue else { return await monitorGone() }
    client = rescue.client
    follow(rescue.events)
    let text = "QEMU closed its monitor; connected to \(runtime.monitor) instead"
    log(text)
    await server.broadcast(.notice(text))
    // What it was told last may not have reached it.
    if ladder.rung == .quit { await tell(Quit()) }
    if plan.kind == .adopt || hasProceeded {
      Self.askRunState(client, inputs, on: loop)
    } else if !isHeld {
      proceed()
    }
    await stopIfPending()
  }

  private func monitorGone() async {
    // Usually QEMU's end follows at once.
    await carryOut(ladder.monitorLost(at: time.now))
    if phase != .stopping { await setPhase(.unresponsive, reason: "QEMU closed its monitor") }
    if evidence.cause == nil { awaitEndOfUnknown() }
    await stopIfPending()
  }

  /// Where QEMU hung up before it said whether the guest executes nobody will know, unless it ends,
  /// which usually follows within milliseconds and says more.
  func awaitEndOfUnknown() {
    guard !isAnnounced, !isHeld else { return }
    let inputs = self.inputs
    _ = loop.schedule(at: .now.advanced(by: Self.drainTime)) { inputs.send(.stillUnknown) }
  }

  /// Has those who wait for the guest's start wait no longer.
  func stillUnknown() async {
    guard !isAnnounced, client == nil, !isRescuing else { return }
    await server.broadcast(
      .notice("QEMU closed its monitor; whether the guest of \(name) executes is not known"))
    await announceRunning()
  }

  /// Does what was asked for while nobody knew how QEMU can be told.
  func stopIfPending() async {
    guard let pendingStop else { return }
    self.pendingStop = nil
    await stop(pendingStop.rung, timeout: pendingStop.timeout)
  }

  /// Takes in what QEMU says, until it hangs up.
  func follow(_ events: QMPEvents) {
    let inputs = self.inputs
    reporter = Task(executorPreference: loop) {
      for await event in events { inputs.send(.event(event)) }
      inputs.send(.monitorLost)
    }
  }
}
