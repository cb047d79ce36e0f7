/// A VM that could not be told to end.
package enum StopError: UserFacingError, Hashable {
  /// `force`: whether its supervisor was to be ended, too.
  case unreachable(name: String, force: Bool)
  /// Its supervisor lacks its sockets, and no signal reaches it from here.
  case elsewhere(name: String)
  /// Its supervisor hangs.
  case silent(name: String, pid: Int32?)
  /// Another command is about to boot it.
  case starting(name: String, pid: Int32?)
  /// Who answers is not the supervisor of the boot that is on record.
  case another(name: String)
  /// Its supervisor says that it has ended, while something still holds its lock.
  case notEnded(name: String)
  case supervisorEnded(name: String)
  /// Its supervisor was killed, and what it knew of QEMU can't be read.
  case unknown(name: String, why: String, pid: Int32?)

  package var message: String {
    switch self {
    case .unreachable(let name, _): "nobody answers for '\(name)', although it is locked"
    case .elsewhere(let name):
      "the supervisor of '\(name)' can't be reached: its sockets are gone, and it runs in another container"
    case .silent(let name, let pid):
      "the supervisor of '\(name)'\(pid.map { " (pid \($0))" } ?? "") does not answer"
    case .starting(let name, let pid):
      "'\(name)' is still being started by \(LockOwner.writer(pid))"
    case .another(let name): "another instance answers for '\(name)'"
    case .notEnded(let name):
      "whoever answers for '\(name)' says that it has ended, but it is locked"
    case .supervisorEnded(let name): "the supervisor of '\(name)' ended before the VM did"
    case .unknown(let name, let why, _): "'\(name)' runs without a supervisor, and \(why)"
    }
  }

  package var advice: String? {
    switch self {
    case .unreachable(let name, force: true):
      "Its supervisor can't be told from here, nor killed; 'qvm status \(name)' may tell more."
    case .unreachable(let name, force: false), .silent(let name, _):
      "'qvm stop --force \(name)' ends that supervisor, too."
    case .elsewhere(let name): "'qvm status \(name)' there has them made anew."
    case .starting(let name, _):
      "'qvm wait --for running \(name)' waits for it; end that process to have it given up."
    case .another(let name), .notEnded(let name):
      "'qvm status \(name)' tells how it is; 'qvm stop --force \(name)' ends it."
    case .supervisorEnded(let name): "'qvm stop \(name)' takes over what is left of it."
    case .unknown(let name, _, let pid?):
      "End QEMU with 'kill -9 \(pid)' if that process is it, then 'qvm rm \(name)'."
    case .unknown(let name, _, nil): "End its QEMU, then 'qvm rm \(name)'."
    }
  }
}
