/// How the ssh program reaches a guest.
package struct GuestSSH: Sendable, Hashable {
  package let program: String
  private let user: String
  private let address: String
  private let port: Int

  /// For a VM that runs.
  ///
  /// - Throws: ``SSHError`` where there is nothing to reach, or no ssh.
  package init(_ status: VMStatus) throws(SSHError) {
    guard status.phase.isAlive else { throw .notRunning(name: status.name) }
    guard let boot = status.boot else { throw .starting(name: status.name) }
    guard let system = status.record?.target.operatingSystem, let user = system.sshUser,
      let port = boot.sshPort
    else { throw .noServer(name: status.name) }
    guard let program = Host.find("ssh") else { throw .noClient }
    self.program = program
    self.user = user
    self.port = port
    let address = boot.sshAddress ?? ""
    self.address = ["", "0.0.0.0"].contains(address) ? "127.0.0.1" : address
  }

  /// The arguments for a command, or for a shell without one.
  ///
  /// Host keys are neither checked nor kept: each instance of an image has the same, and another one
  /// answers at the same port tomorrow.
  package func arguments(_ command: [String], options: [String] = []) -> [String] {
    [
      "-p", String(port), "-l", user, "-o", "StrictHostKeyChecking=no", "-o",
      "UserKnownHostsFile=/dev/null", "-o", "GlobalKnownHostsFile=/dev/null", "-o",
      "LogLevel=ERROR",
    ] + options + [address] + (command.isEmpty ? [] : ["--"] + command)
  }
}

/// A guest that ssh can't reach.
package enum SSHError: QVMFailure, Hashable {
  case notRunning(name: String)
  /// It has no QEMU yet.
  case starting(name: String)
  case noServer(name: String)
  /// No guest of that kind has one.
  case noServerEver(system: String)
  case noClient

  package var message: String {
    switch self {
    case .notRunning(let name): "'\(name)' is not running"
    case .starting(let name): "'\(name)' is still being started"
    case .noServer(let name): "the guest of '\(name)' has no ssh server"
    case .noServerEver(let system): "the guest \(system) has no ssh server to run a command by"
    case .noClient: "there is no ssh on the search path"
    }
  }

  package var advice: String? {
    switch self {
    case .notRunning(let name): "Boot it with 'qvm start \(name)'."
    case .starting(let name): "Wait for it with 'qvm wait \(name)'."
    case .noServer(let name): "'qvm console \(name)' shows its console."
    case .noServerEver: "Run it without a command: its console is on this terminal then."
    case .noClient: "Install OpenSSH's client."
    }
  }

  package var exitStatus: ExitStatus {
    if case .notRunning = self { .notRunning } else { .failed }
  }
}
