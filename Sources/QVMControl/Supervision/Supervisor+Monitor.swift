internal import QMPClient

/// Talking with QEMU, and what it says.
extension Supervisor {
  // In tasks of their own, whose answers come in like everything else: a QEMU that is silent must
  // not make the supervisor deaf.

  static func proceed(
    _ client: QMPClient?, _ inputs: Mailbox<Input>, on loop: EventLoop
  ) {
    // While the monitor is lost: it is done when there is another one.
    guard let client else { return }
    Task(executorPreference: loop) {
      do throws(QMPError) {
        try await client.execute(Cont(), timeout: answerTimeout)
        inputs.send(.proceeded(nil))
      } catch {
        inputs.send(.proceeded(error))
      }
      askRunState(client, inputs, on: loop)
    }
  }

  static func askRunState(
    _ client: QMPClient?, _ inputs: Mailbox<Input>, on loop: EventLoop,
    timeout: Duration? = answerTimeout
  ) {
    guard let client else { return }
    Task(executorPreference: loop) {
      do throws(QMPError) {
        let reply = try await client.execute(QueryStatus(), timeout: timeout)
        inputs.send(.runState(.success(reply.status)))
      } catch {
        inputs.send(.runState(.failure(error)))
      }
    }
  }

  func take(_ event: QMPEvent) async {
    evidence.note(event)
    pauseReason.note(event)
    if let text = diskTrouble.note(event) { await server.broadcast(.notice(text)) }
    switch event.name {
    case "SHUTDOWN":
      ladder.shutdownSeen(at: time.now)
      await setPhase(.stopping, reason: evidence.cause?.rawValue)
    case "RESET":
      watchReadiness(from: Files.information(files.console)?.size ?? 0)
      ladder.guestBeganAnew(at: time.now)
      // One that was off is not any more, and no other event says so.
      if let runState, !runState.executes { Self.askRunState(client, inputs, on: loop) }
      let isBeingAsked = ladder.guestReset(at: time.now)
      // The firmware may reset a second and a third time: one notice is enough.
      if isBeingAsked, !hasToldOfRestart {
        hasToldOfRestart = true
        await server.broadcast(.notice("the guest restarted instead of powering off"))
      }
    case "RESUME":
      ladder.guestBeganAnew(at: time.now)
      Self.askRunState(client, inputs, on: loop)
    case "STOP", "SUSPEND", "WAKEUP": Self.askRunState(client, inputs, on: loop)
    default: break
    }
  }

  /// Derives the phase from the run state.
  func take(_ answer: Result<RunState, QMPError>) async {
    switch answer {
    case .failure(let error):
      // The end of the monitor comes in by itself, and what follows from it.
      if error.endsConnection { return }
      if case .timedOut = error, ladder.rung == nil {
        await setPhase(.unresponsive, reason: "QEMU does not answer its monitor")
        // It may only have been held up: then this is answered.
        Self.askRunState(client, inputs, on: loop, timeout: nil)
      }
    case .success(let state):
      runState = state
      let executes = state.executes
      evidence.note(state)
      if state == .shutdown {
        await carryOut(ladder.guestIsOff(at: time.now))
      }
      if ladder.rung != nil {
        await setPhase(.stopping, reason: ladder.rung?.name)
        // What stopped it keeps it from obeying; QEMU itself still can be told to end.
        if !executes {
          let actions = ladder.guestStopped(at: time.now)
          if !actions.isEmpty, state == .ioError { await tellOfStandstill(state) }
          await carryOut(actions)
        }
      } else {
        let wasPaused = phase == .paused
        await setPhase(executes ? .running : .paused, reason: executes ? nil : pauseText(state))
        if !executes, !wasPaused { await announcePause(state) }
      }
    }
    await announceRunning()
  }
}
