internal import QMPClient

extension GuestCommandSession {
  /// The supervisor was killed: what it was to do at the end is done by another one.
  func supervisorLost() async -> ExitStatus {
    let name = launched.name
    process?.signal(.terminate)
    let token = launched.files.bootToken
    if launched.files.hasEnded(boot: token) {
      let end = Reconciliation.end(of: name, boot: token, in: store)
      let disk = end.removed ? nil : launched.files.disk
      output.remark(end.outcome.sentence(name.text, disk: disk))
      return status ?? .failed
    }
    output.remark("the supervisor of \(name) was killed; shutting \(name) down without it")
    let (inputs, store, force) = (inputs, store, insistence.isForcing)
    let started = startThread {
      inputs.send(
        .stopped(
          Result {
            try StopRequest(name, in: store, force: force, timeout: nil).wait { _ in }
          }))
    }
    while started, let input = await inputs.next() {
      switch input {
      case .stopped(.success(let result)):
        output.remark(result.sentence)
        return status ?? .failed
      case .stopped(.failure(let error)):
        output.remark((error as? any QVMFailure)?.message ?? "\(error)")
        return .failed
      // What was asked for goes on without this process.
      case .signal(let signal) where signal.asksForEnd:
        output.remark("'qvm stop --force \(name)' ends it at once")
        return .interrupted
      default: break
      }
    }
    return .failed
  }
}
