/// A guest that ssh cannot reach.
package enum SSHError: UserFacingError, Hashable {
  case notRunning(name: String)
  /// It has no QEMU yet.
  case starting(name: String)
  case noServer(name: String)
  /// No guest with this operating system has one.
  case noServerEver(system: String)
  case noClient
  /// The ssh program cannot even print its version.
  case clientFails(why: String, user: UInt32)
  /// A path that ssh's configuration has no way to write.
  case unquotable(path: String)

  package var message: String {
    switch self {
    case .notRunning(let name): "'\(name)' is not running"
    case .starting(let name): "'\(name)' is still starting"
    case .noServer(let name): "the guest of '\(name)' has no ssh server"
    case .noServerEver(let system): "\(system) has no ssh server, so no command can be run in it"
    case .noClient: "ssh is not installed"
    case .clientFails(let why, _): "ssh does not work here: \(why)"
    case .unquotable(let path): "ssh's configuration cannot name the path \(path)"
    }
  }

  package var advice: String? {
    switch self {
    case .notRunning(let name):
      "Boot it with 'qvm start -d \(name)', and repeat the command: it waits until the guest is ready."
    case .starting(let name): "Wait for it with 'qvm wait \(name)'."
    case .noServer(let name): "Use its console instead: 'qvm console \(name)'."
    case .noServerEver: "Run it without a command. Its console then appears on this terminal."
    case .noClient: "Install the OpenSSH client."
    case .clientFails(let why, let user) where why.contains("uid \(user)"):
      """
      Give the user id \(user) a name, for example with the line 'ci:x:\(user):0::/tmp:/bin/sh' in \
      /etc/passwd, or run qvm as another user.
      """
    case .unquotable:
      "Set QVM_CACHE to a link to the cache, whose path has no '${' and no line breaks."
    case .clientFails: "Repair the OpenSSH client: 'ssh -V' must print its version."
    }
  }

  package var exitStatus: ExitStatus {
    if case .notRunning = self { .notRunning } else { .failed }
  }
}
