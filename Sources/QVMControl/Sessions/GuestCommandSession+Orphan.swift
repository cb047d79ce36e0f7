internal import QMPClient

/// What remains to be done when the supervisor was killed.
extension GuestCommandSession {
  /// Ends the VM by another supervisor, which adopts it.
  func stopWithoutSupervisor() async -> ExitStatus {
    let (name, inputs, store, force) = (vm.name, inputs, vm.store, escalation.isForcing)
    let started = startThread {
      inputs.send(
        .stopped(
          Result {
            let request = try StopRequest(name, in: store, force: force, timeout: nil)
            inputs.send(.stopping)
            return try request.wait { _ in }
          }))
    }
    var isAsked = false
    while started, let input = await inputs.next() {
      switch input {
      case .stopping: isAsked = true
      case .stopped(.success(let result)):
        output.remark(result.sentence)
        return result.isGood ? status ?? .failed : .failed
      case .stopped(.failure(let error)):
        output.remark(error.messageForUser)
        return .failed
      case .signal(let signal) where signal.asksForEnd:
        // A shutdown that was asked for continues without this process.
        output.remark(
          isAsked
            ? "'qvm stop --force \(name)' ends it at once"
            : "\(name) is still running; 'qvm stop \(name)' ends it")
        return .interrupted
      default: break
      }
    }
    return .failed
  }
}
