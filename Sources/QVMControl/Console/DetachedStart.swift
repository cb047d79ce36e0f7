package import QMPClient

/// `qvm run --detach`: waits until the guest executes, then leaves the VM to its supervisor.
package struct DetachedStart {
  private let launched: Launch.Launched
  private let inputs = Mailbox<LineSocket.Input>()
  private let supervisor: LineSocket

  package init(_ launched: Launch.Launched, loop: EventLoop) {
    self.launched = launched
    let inputs = self.inputs
    supervisor = LineSocket(launched.supervisor, on: loop) { inputs.send($0) }
  }

  /// Waits for the start; the exit status of the command.
  ///
  /// - Parameters:
  ///   - note: Called with each line that the user should know of.
  ///   - print: Called with the instance's name once it runs.
  package func run(
    note: (String) -> Void, print: (String) throws -> Void
  ) async throws -> ExitStatus {
    await supervisor.start()
    while let input = await inputs.next() {
      guard case .line(let json) = input else { break }
      switch ControlEvent(json) {
      case .notice(let text): note(text)
      case .running:
        await supervisor.send(ControlRequest.detach.json)
        try print(launched.name.text)
        return .done
      case .failed(let message, let advice, let status):
        note(([message] + [advice].compactMap(\.self)).joined(separator: "\n     "))
        return ExitStatus(rawValue: status)
      case .ended(let outcome, let removed):
        note(outcome.sentence(launched.name.text, disk: removed ? nil : launched.files.disk))
        return .failed
      default: break
      }
    }
    note("the supervisor of \(launched.name) ended; see \(launched.files.supervisorLog)")
    return .failed
  }
}
