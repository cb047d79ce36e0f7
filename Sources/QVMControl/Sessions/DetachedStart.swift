package import QMPClient

/// `qvm run --detach`: waits until the guest executes, then leaves the VM to its supervisor.
package struct DetachedStart {
  private enum Input: Sendable {
    case supervisor(LineSocket.Input)
    case signal(Signal)
  }

  /// Whether only failures are reported.
  package var isQuiet = false
  private let vm: SupervisedVM
  private let inputs = Mailbox<Input>()
  private let loop: EventLoop
  private let supervisor: SupervisorConnection

  package init(_ vm: SupervisedVM, loop: EventLoop) {
    self.vm = vm
    self.loop = loop
    let inputs = self.inputs
    supervisor = SupervisorConnection(to: vm, on: loop) { inputs.send(.supervisor($0)) }
  }

  /// Waits for the start.
  ///
  /// Until then this command holds the lease: a signal ends it, and with it the VM.
  ///
  /// - Parameters:
  ///   - signals: The signals to this process.
  ///   - note: Called with each report for the user.
  ///   - print: Called with the instance's name once it runs.
  /// - Returns: The exit status of the command.
  /// - Throws: What `print` throws.
  package func run(
    signals: Mailbox<Signal>, note: (String) -> Void, print: (String) throws -> Void
  ) async throws -> ExitStatus {
    await supervisor.start()
    let forwarding = signals.forward(to: inputs, on: loop) { .signal($0) }
    defer { forwarding.cancel() }
    while let input = await inputs.next() {
      switch input {
      case .signal(let signal) where signal.asksForEnd: return .interrupted
      case .signal(.terminalStop): Signal.stopThisProcess()
      case .signal: break
      case .supervisor(let input):
        switch supervisor.report(of: input) {
        case .event(.notice(let text)): if !isQuiet { note(text) }
        case .event(.running):
          // If the name can't be printed, the lease ends with this command, and so does the VM.
          try print(vm.name.text)
          await supervisor.send(.detach)
          return .done
        case .event(.failed(let message, let advice, let status)):
          note(([message] + [advice].compactMap(\.self)).joined(separator: "\n     "))
          return ExitStatus(rawValue: status)
        case .event, nil: break
        case .ended(let outcome, let removed):
          note(vm.sentence(outcome, removed: removed))
          return .failed
        case .neverBegan(let text):
          note(text)
          return .failed
        case .lost:
          note("the supervisor of \(vm.name) was killed; 'qvm stop \(vm.name)' ends the VM")
          return .failed
        }
      }
    }
    return .failed
  }
}
