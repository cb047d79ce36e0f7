import QMPClient
import QVMControl

struct SSHCommand: Command {
  static let name = "ssh"
  static let summary = "Log in to a guest over ssh, or run a command there as ssh does."
  static let discussion: String? = """
    The login is that of the images: 'runner', or 'user' on Haiku. 'sudo -i' there makes 'runner' root;
    'qvm status' shows this too.

    qvm waits until the guest is ready. If the ssh server is too busy with other logins and closes the
    connection, qvm connects again.

    As with ssh, the words of COMMAND are joined by blanks and read by the guest's login shell. 'qvm
    exec' passes them as they are. Options belong before COMMAND. Programs that run ssh can run 'qvm
    ssh' instead, with the instance as the host:

      rsync -a -e 'qvm ssh' src/ box:src/
      GIT_SSH_COMMAND='qvm ssh' git push box:repository.git main
      scp -S wrapper FILE box:    (wrapper: a script with 'exec qvm ssh "$@"')

    COMMAND reads qvm's standard input. In a loop that reads from standard input, redirect it:

      while read -r vm; do qvm ssh "$vm" uptime </dev/null; done <list

    SIGINT, SIGTERM and SIGHUP end COMMAND in the guest, with its whole process group: it gets SIGTERM,
    and SIGKILL after five seconds. A second signal, of another kind or at least two seconds later, makes
    qvm exit without waiting for that. The exit status is that of COMMAND, or 128 plus the number of
    the signal that ended it.

    ssh reads no configuration file. It offers the keys in ~/.ssh and those of the agent. The guest's
    host key is stored in the instance's folder at the first connection; another key is refused from
    then on. If the guest has a new host key, remove the file 'known_hosts' in that folder.
    """
  static let parameters: [Parameter<Self>] = [
    .argument(
      "NAME", "The instance, as shown by 'qvm list'. USER@NAME is the same as -l USER NAME.",
      completing: .instances
    ) { $0.instance = $1 },
    .option(
      "--ready-timeout", "SECONDS", "How long the guest may take to become ready (default: 900)."
    ) { (command: inout Self, time: Seconds) in command.readyTimeout = time.count },
    .option("--user", short: "-l", "USER", "The guest's user (default: that of the image).") {
      $0.user = $1
    },
    .flag("-t", "Give COMMAND a terminal.") { $0.options.append("-t") },
    .flag("-T", "Use no terminal.") { $0.options.append("-T") },
    .option("-o", "OPTION", "An option for ssh, unless qvm needs another value of it.") {
      $0.options += ["-o", $1]
    },
    .flag("-s", "COMMAND is a subsystem of the ssh server, such as sftp.") {
      $0.isSubsystem = true
    },
    .flag("-C", "Compress the connection.") { $0.options.append("-C") },
    .flag("-q", "Accepted for programs that run ssh; qvm passes on only errors of ssh.") { _ in },
    .flag("-x", "Accepted for programs that run ssh; qvm forwards no X11.") { _ in },
    .flag("-4", "Accepted for programs that run ssh; so is -6.") { _ in },
    .flag("-6", "See -4.") { _ in },
    .option("-p", "PORT", "Accepted for programs that run ssh; qvm knows the port.") {
      (_: inout Self, _: Int) in
    },
    .rest("COMMAND", "Run COMMAND in the guest, and exit with its status.") {
      $0.command.append($1)
    },
  ]

  var instance = ""
  var readyTimeout: Int?
  var user: String?
  var options: [String] = []
  var isSubsystem = false
  var command: [String] = []

  /// The advice for a command for the guest, after a command of qvm that takes none.
  static func advice(running words: [String], in name: String?) -> String {
    let line = words.isEmpty ? "COMMAND" : words.joined(separator: " ")
    return "'qvm exec \(name ?? "NAME") \(line)' runs it in a guest that was started."
  }

  func run() throws -> ExitStatus {
    // As ssh reads it: the user's name may have an @, the host's has none.
    let at = instance.utf8.lastIndex(of: UInt8(ascii: "@"))
    let name = at.map { String(instance[instance.utf8.index(after: $0)...]) } ?? instance
    let login = try GuestLogin(
      name, as: user ?? at.map { String(instance[..<$0]) }, readyTimeout: readyTimeout)
    if isSubsystem, command.isEmpty {
      throw UsageError.missingArgument(
        placeholder: "COMMAND", advice: "With -s it names a subsystem, such as sftp.")
    }
    let options = options + (isSubsystem ? ["-s"] : [])
    if !command.isEmpty, !isSubsystem, !options.contains("-t") {
      return try login.run(GuestTask(command, .line), userOptions: options)
    }
    return try login.become(
      isSubsystem ? command : [command.joined(separator: " ")].filter { !$0.isEmpty }, options)
  }
}
