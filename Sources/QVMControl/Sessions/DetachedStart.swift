package import QMPClient

/// `qvm run --detach`: waits until the guest executes, then leaves the VM to its supervisor.
package struct DetachedStart {
  private enum Input: Sendable {
    case supervisor(LineSocket.Input)
    case signal(Signal)
  }

  /// Whether only failures are told.
  package var isQuiet = false
  private let launched: SupervisedVM
  private let inputs = Mailbox<Input>()
  private let loop: EventLoop
  private let supervisor: LineSocket

  package init(_ launched: SupervisedVM, loop: EventLoop) {
    self.launched = launched
    self.loop = loop
    let inputs = self.inputs
    supervisor = LineSocket(launched.supervisor, on: loop) { inputs.send(.supervisor($0)) }
  }

  /// Waits for the start; the exit status of the command.
  ///
  /// A signal ends this command, and with it the VM, which is not the supervisor's own yet.
  ///
  /// `note` is called with each line that the user should know of, `print` with the instance's name
  /// once it runs.
  package func run(
    signals: Mailbox<Signal>, note: (String) -> Void, print: (String) throws -> Void
  ) async throws -> ExitStatus {
    await supervisor.start()
    let inputs = self.inputs
    let forwarding = Task(executorPreference: loop) {
      while let signal = await signals.next() { inputs.send(.signal(signal)) }
    }
    defer { forwarding.cancel() }
    inputs: while let input = await inputs.next() {
      if case .signal(let signal) = input {
        if signal.asksForEnd { return .interrupted }
        if signal == .terminalStop { Signal.stopThisProcess() }
        continue
      }
      guard case .supervisor(.line(let json)) = input else { break }
      switch ControlEvent(json) {
      case .notice(let text): if !isQuiet { note(text) }
      case .running:
        // A VM whose name nobody could be told doesn't outlive this command.
        try print(launched.name.text)
        await supervisor.send(ControlRequest.detach.json)
        return .done
      case .failed(let message, let advice, let status):
        note(([message] + [advice].compactMap(\.self)).joined(separator: "\n     "))
        return ExitStatus(rawValue: status)
      case .ended(let outcome, let removed):
        guard launched.files.hasEnded(boot: outcome.token) else { break inputs }
        note(outcome.sentence(launched.name.text, disk: removed ? nil : launched.files.disk))
        return .failed
      default: break
      }
    }
    let (name, files) = (launched.name, launched.files)
    switch Reconciliation.loss(of: name, after: launched.previousBoot, in: launched.store) {
    case .ended(let outcome, let removed):
      note(outcome.sentence(name.text, disk: removed ? nil : files.disk))
    case .neverBegan: note(Reconciliation.neverBegan(name, files))
    case .lives: note("the supervisor of \(name) was killed; 'qvm stop \(name)' ends the VM")
    }
    return .failed
  }
}
