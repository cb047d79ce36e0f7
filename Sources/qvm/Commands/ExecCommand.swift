import QVMControl

struct ExecCommand: Command {
  static let name = "exec"
  static let summary = "Run a command in a guest, with exactly the arguments given."
  static let discussion: String? = """
    qvm waits until the guest is ready. Several words are a program and its arguments. They arrive as
    they are, whatever they contain and whatever the login shell is. One word alone is a line for the
    guest's /bin/sh:

      qvm exec box cc -o hello 'my file.c'
      qvm exec box 'cd /tmp && make 2>&1 | tail'

    Standard input, output, error and the exit status are the command's own. If both input and output are
    a terminal, the command gets a terminal in the guest, so that Ctrl-C ends the command. Otherwise
    SIGINT, SIGTERM and SIGHUP end it in the guest, as 'qvm ssh --help' tells.

    The exit status is 127 if the guest has no such program, 126 if it cannot be executed, and 128 plus the
    number of the signal that ended it. Options belong before COMMAND.

    COMMAND may be as long as the guest's own limits allow: Linux takes 128 KiB in one word. --script takes
    lines of any length, and ends at the first one that fails:

      qvm exec box --script build.sh release
      qvm exec box --script - <<'END'
    """
  static let parameters: [Parameter<Self>] = [
    .argument("NAME", "The instance, as shown by 'qvm list'.", completing: .instances) {
      $0.instance = $1
    },
    .environment { $0.surroundings.variables.append($1) },
    .environmentFile { $0.surroundings.files.append($1) },
    .workFolder("Run COMMAND in the guest's folder DIR.") { $0.surroundings.folder = $1 },
    .option(
      "--user", short: "-u", "USER", "Log in as the guest's USER (default: that of the image)."
    ) { $0.user = $1 },
    .script { $0.surroundings.script = $1 },
    .terminal { $0.surroundings.terminal = true },
    .noTerminal { $0.surroundings.terminal = false },
    .flag("-i", "Accepted for users of other programs: COMMAND always reads standard input.") {
      _ in
    },
    .option(
      "--ready-timeout", "SECONDS", "How long the guest may take to become ready (default: 900)."
    ) { (command: inout Self, time: Seconds) in command.readyTimeout = time.count },
    .rest("COMMAND", "The program and its arguments, or one line for /bin/sh.") {
      $0.command.append($1)
    },
  ]

  var instance = ""
  var surroundings = GuestTaskOptions()
  var user: String?
  var readyTimeout: Int?
  var command: [String] = []

  func run() throws -> ExitStatus {
    guard !command.isEmpty || surroundings.script != nil else {
      throw UsageError.missingArgument(
        placeholder: "COMMAND",
        advice: "'qvm exec \(instance) uname -a' runs a program, 'qvm ssh \(instance)' logs in.")
    }
    let login = try GuestLogin(instance, as: user, readyTimeout: readyTimeout)
    let task = try surroundings.task(command)
    return task.hasTerminal ? try login.become(GuestCommand(task)) : try login.run(task)
  }
}
