/// Keys for the login to a guest that can't be used or made.
package enum SSHKeyError: UserFacingError, Hashable {
  /// There is no `ssh-keygen`.
  case noProgram
  case cannotMake(why: String)
  /// qvm's own pair is damaged.
  case incomplete(folder: String)
  case missing(path: String)
  /// A folder, a pipe or a device.
  case noFile(path: String)
  case noKey(path: String)
  /// A public key as programs other than OpenSSH write it.
  case otherFormat(path: String)
  /// A private key without its public key.
  case privateAlone(path: String)
  /// The guest has no ssh server.
  case noServer(system: String)

  package var message: String {
    switch self {
    case .noProgram: "the guest takes no login without an ssh key, and ssh-keygen is not installed"
    case .cannotMake(let why): "ssh-keygen cannot make a key: \(why)"
    case .incomplete(let folder): "the pair of ssh keys in \(folder) is incomplete"
    case .missing(let path): "there is no file \(path)"
    case .noFile(let path): "\(path) is not a regular file"
    case .noKey(let path): "\(path) is not a public ssh key"
    case .otherFormat(let path): "\(path) is a public key in another format than OpenSSH's"
    case .privateAlone(let path):
      "\(path) is a private key, and its public key \(path).pub is not there"
    case .noServer(let system): "\(system) has no ssh server, so --ssh-key has no effect"
    }
  }

  package var advice: String? {
    switch self {
    case .noProgram: PackageManager.advice(for: .openssh)
    case .cannotMake: "Repair the OpenSSH client: 'ssh-keygen -t ed25519' must make a key."
    case .incomplete(let folder):
      "Remove that folder. The next boot makes another pair, which a guest knows when it has booted"
        + " again: 'rm -r \(QEMUArguments.shellQuoted(folder))'."
    case .missing, .noFile, .noKey:
      "Name a file such as ~/.ssh/id_ed25519.pub after --ssh-key. 'ssh-keygen -t ed25519' makes one."
    case .otherFormat(let path):
      "Convert it: 'ssh-keygen -i -f \(QEMUArguments.shellQuoted(path))' prints OpenSSH's format."
    case .privateAlone(let path):
      "Make it with 'ssh-keygen -y -f \(QEMUArguments.shellQuoted(path)) >"
        + " \(QEMUArguments.shellQuoted("\(path).pub"))'."
    case .noServer: "Leave it out."
    }
  }
}
