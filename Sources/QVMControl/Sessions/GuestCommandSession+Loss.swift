internal import QMPClient

extension GuestCommandSession {
  /// The supervisor was killed: what it was to do at the end is done by another one.
  func supervisorLost() async -> ExitStatus {
    let name = launched.name
    process?.giveUp()
    switch Reconciliation.loss(of: name, after: launched.previousBoot, in: store) {
    case .ended(let outcome, let removed):
      output.remark(outcome.sentence(name.text, disk: removed ? nil : launched.files.disk))
      return status ?? .failed
    case .neverBegan:
      output.remark(Reconciliation.neverBegan(name, launched.files))
      return .failed
    case .lives:
      output.remark("the supervisor of \(name) was killed; shutting \(name) down without it")
      return await stopWithoutSupervisor()
    }
  }

  private func stopWithoutSupervisor() async -> ExitStatus {
    let (name, inputs, store, force) = (launched.name, inputs, store, insistence.isForcing)
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
        output.remark((error as? any UserFacingError)?.message ?? "\(error)")
        return .failed
      case .signal(let signal) where signal.asksForEnd:
        // What was asked for goes on without this process.
        output.remark(
          isAsked
            ? "'qvm stop --force \(name)' ends it at once"
            : "\(name) still runs; 'qvm stop \(name)' ends it")
        return .interrupted
      default: break
      }
    }
    return .failed
  }
}
