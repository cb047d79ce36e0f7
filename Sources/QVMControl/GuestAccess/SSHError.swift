/// A guest that ssh can't reach.
package enum SSHError: UserFacingError, Hashable {
  case notRunning(name: String)
  /// It has no QEMU yet.
  case starting(name: String)
  case noServer(name: String)
  /// No guest of that kind has one.
  case noServerEver(system: String)
  case noClient
  /// The ssh program doesn't so much as tell its version.
  case clientFails(why: String, user: UInt32)

  package var message: String {
    switch self {
    case .notRunning(let name): "'\(name)' is not running"
    case .starting(let name): "'\(name)' is still being started"
    case .noServer(let name): "the guest of '\(name)' has no ssh server"
    case .noServerEver(let system): "the guest \(system) has no ssh server to run a command by"
    case .noClient: "there is no ssh on the search path"
    case .clientFails(let why, _): "ssh does not work here: \(why)"
    }
  }

  package var advice: String? {
    switch self {
    case .notRunning(let name): "Boot it with 'qvm start \(name)'."
    case .starting(let name): "Wait for it with 'qvm wait \(name)'."
    case .noServer(let name): "'qvm console \(name)' shows its console."
    case .noServerEver: "Run it without a command: its console is on this terminal then."
    case .noClient: "Install OpenSSH's client."
    case .clientFails(let why, let user) where why.contains("uid \(user)"):
      """
      Give the user id \(user) a name, such as by the line 'ci:x:\(user):0::/tmp:/bin/sh' in \
      /etc/passwd, or run this as a user that has one.
      """
    case .clientFails: "Mend OpenSSH's client: 'ssh -V' has to tell its version."
    }
  }

  package var exitStatus: ExitStatus {
    if case .notRunning = self { .notRunning } else { .failed }
  }
}
