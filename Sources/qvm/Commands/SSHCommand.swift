import QVMControl

struct SSHCommand: Command {
  static let name = "ssh"
  static let summary = "Log in to a guest by ssh, or run a command there."
  static let parameters: [Parameter<Self>] = [
    .argument("NAME", "The instance, as shown by 'qvm list'.", completing: .instances) {
      $0.instance = $1
    },
    .trailing("COMMAND", "A command for the guest.") { $0.command.append($1) },
  ]

  var instance = ""
  var command: [String] = []

  func run() throws -> ExitStatus {
    let store = InstanceStore(try Cache.fromEnvironment())
    let status = try VMStatus.inspect(try InstanceName(instance), in: store)
    let ssh = try GuestSSH(status)
    try Host.become(ssh.program, ssh.arguments(command))
  }
}
