internal import QMPClient

/// What asks for the end of the VM, and what a service manager hears.
extension ForegroundSession {
  /// Whether the user has said, as with `nohup`, that this goes on without its terminal.
  var outlivesTerminal: Bool { isTerminalOutput && Signal.hangUp.isIgnored }

  func handle(_ signal: Signal) async {
    switch signal {
    case .terminalStop: suspend()
    case .continued: if console != nil { attachTerminal() }
    default: await stop(insistence.rung(for: signal))
    }
  }

  /// Has the supervisor end the VM, beginning at a rung; nil does nothing.
  func stop(_ rung: ShutdownRung?) async {
    guard let rung else { return }
    switch rung {
    case .powerButton: remarkUnlessQuiet("shutting \(name) down… (Ctrl-C again to force)")
    case .quit: output.remark("forcing \(name) to end… (Ctrl-C again to kill QEMU)")
    default: output.remark("killing QEMU")
    }
    notifier?.stopping()
    await supervisor.send(ControlRequest.stop(rung, timeout: nil).json)
  }

  /// Tells the service manager when the guest is ready, if there is one.
  func announceReadiness() {
    guard let notifier, readiness == nil else { return }
    notifier.booting()
    let (inputs, waiting) = (inputs, InstanceWait(name, in: store, on: loop))
    readiness = Task(executorPreference: loop) {
      var result = try? await waiting.wait(for: .ready, within: nil)
      // One that only seemed dead may become ready yet; the manager's own time is the limit.
      while case .dead = result { result = try? await waiting.wait(for: .ready, within: nil) }
      inputs.send(.ready(result))
    }
  }
}
