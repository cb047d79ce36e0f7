/// A VM that could not be told to end.
package enum StopError: QVMFailure, Hashable {
  case unreachable(name: String)
  case supervisorEnded(name: String)
  /// Its supervisor was killed, and what it knew of QEMU can't be read.
  case unknown(name: String, why: String, pid: Int32?)

  package var message: String {
    switch self {
    case .unreachable(let name): "nobody answers for '\(name)', although it is locked"
    case .supervisorEnded(let name): "the supervisor of '\(name)' ended before the VM did"
    case .unknown(let name, let why, _): "'\(name)' runs without a supervisor, and \(why)"
    }
  }

  package var advice: String? {
    switch self {
    case .unreachable(let name): "'qvm status \(name)' may tell more."
    case .supervisorEnded(let name): "'qvm stop \(name)' takes over what is left of it."
    case .unknown(let name, _, let pid?):
      "End QEMU with 'kill \(pid)' if that process is it, then 'qvm rm \(name)'."
    case .unknown(let name, _, nil): "End its QEMU, then 'qvm rm \(name)'."
    }
  }
}
