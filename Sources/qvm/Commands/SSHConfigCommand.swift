import QVMControl

struct SSHConfigCommand: Command {
  static let name = "ssh-config"
  static let summary = "Print ssh's configuration for guests, for programs that run ssh."
  static let discussion: String? = """
    There is one 'Host' block for each instance, whose name is the instance's. Without NAME the blocks
    of all running VMs with an ssh server are printed.

      qvm ssh-config box >config
      scp -F config FILE box:
      rsync -a -e 'ssh -F config' src/ box:src/
      GIT_SSH_COMMAND='ssh -F config' git clone box:repository.git
      ansible-playbook --ssh-common-args '-F config' -i box, play.yml

    The port may be another one at the next boot. Print the configuration again then. ssh does not wait
    until the guest is ready; 'qvm wait NAME' does.
    """
  static let parameters: [Parameter<Self>] = [
    .arguments("NAME", orNone: true, "Instances, as shown by 'qvm list'.", completing: .instances) {
      $0.names.append($1)
    }
  ]

  var names: [String] = []

  func run() throws -> ExitStatus {
    let store = InstanceStore(try Cache.fromEnvironment())
    let names = try InstanceName.distinct(names)
    if names.isEmpty {
      let all = try VMStatus.all(in: store).filter(\.phase.isAlive).compactMap { status in
        (try? GuestSSH.checkServer(of: status)).map { _ in status }
      }
      if all.isEmpty { Output.note("qvm: no VM with an ssh server is running\n") }
      // A guest that is being started has no port yet.
      try print(all.filter { $0.boot?.sshPort != nil })
    } else {
      // All of them, or none: a part would be taken for the whole.
      var all: [VMStatus] = []
      for name in names { all.append(try VMStatus.inspect(name, in: store)) }
      try print(all)
    }
    return .done
  }

  private func print(_ all: [VMStatus]) throws {
    let blocks = try all.map { try GuestSSH($0).configuration() }
    // Not for people: a path must arrive unchanged, and has no control characters.
    try Output.print(Array(blocks.joined(separator: "\n").utf8))
  }
}
