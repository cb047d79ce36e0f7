/// A VM that could not be stopped.
package enum StopError: UserFacingError, Hashable {
  /// `force`: whether the supervisor was to be killed, too.
  case unreachable(name: String, force: Bool)
  /// The supervisor has lost its sockets, and runs in a container that signals from here do not reach.
  case elsewhere(name: String)
  /// The supervisor hangs.
  case silent(name: String, pid: Int32?)
  /// Another command is about to boot it.
  case starting(name: String, pid: Int32?)
  /// The process that responds is not the supervisor of the boot on record.
  case another(name: String)
  /// The supervisor reports that the VM has ended, but its lock is still held.
  case notEnded(name: String)
  case supervisorEnded(name: String)
  /// The supervisor was killed, and the record of the boot cannot be read.
  case unknown(name: String, why: String, pid: Int32?)

  package var message: String {
    switch self {
    case .unreachable(let name, _): "'\(name)' is locked, but its supervisor does not respond"
    case .elsewhere(let name):
      "cannot reach the supervisor of '\(name)': its sockets are gone, and it runs in another container"
    case .silent(let name, let pid):
      "the supervisor of '\(name)'\(pid.map { " (pid \($0))" } ?? "") does not answer"
    case .starting(let name, let pid):
      "\(LockOwner.writer(pid)) is still starting '\(name)'"
    case .another(let name): "the process that responds for '\(name)' is not its supervisor"
    case .notEnded(let name):
      "the supervisor of '\(name)' reports that it has ended, but it is still locked"
    case .supervisorEnded(let name): "the supervisor of '\(name)' exited before the VM did"
    case .unknown(let name, let why, _):
      "'\(name)' runs without a supervisor, and its record cannot be read: \(why)"
    }
  }

  package var advice: String? {
    switch self {
    case .unreachable(let name, force: true):
      "The supervisor cannot be killed from here. 'qvm status \(name)' may show why."
    case .unreachable(let name, force: false), .silent(let name, _):
      "'qvm stop --force \(name)' kills QEMU and the supervisor."
    case .elsewhere(let name):
      "Run 'qvm status \(name)' in that container, which creates them again."
    case .starting(let name, _):
      "'qvm wait --for running \(name)' waits until it runs. End that process to cancel the start."
    case .another(let name), .notEnded(let name):
      "'qvm status \(name)' shows its state. 'qvm stop --force \(name)' ends it."
    case .supervisorEnded(let name):
      "Run 'qvm stop \(name)' again: it takes the VM over and shuts it down."
    case .unknown(let name, _, let pid?):
      "If process \(pid) is its QEMU, run 'kill -9 \(pid)'. Then run 'qvm rm \(name)'."
    case .unknown(let name, _, nil): "End its QEMU process. Then run 'qvm rm \(name)'."
    }
  }
}
