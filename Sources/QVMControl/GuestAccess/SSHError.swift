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
  /// The guest's server lets a user in neither by a key nor without a password.
  case refused(name: String, user: String, isImageUser: Bool)
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
    case .refused(let name, let user, _):
      "'\(name)' refuses the user '\(user)', by the keys that ssh offers and without a password"
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
    case .refused(let name, _, true):
      "'qvm ssh \(name)' asks for a password. 'qvm console \(name)' shows the guest's console."
    case .refused(let name, let user, false):
      "Leave out '\(user)' to log in as the image's user, and add the user or its key there: 'qvm ssh \(name)'."
    case .unquotable:
      "Set QVM_CACHE to a link to the cache, whose path has no '${' and no line breaks."
    case .clientFails: "Repair the OpenSSH client: 'ssh -V' must print its version."
    }
  }

  package var exitStatus: ExitStatus {
    switch self {
    case .notRunning: .notRunning
    case .refused: ExitStatus(rawValue: 255)
    default: .failed
    }
  }
}
