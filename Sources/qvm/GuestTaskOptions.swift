import QVMControl

/// The surroundings of a command in a guest, as options of `exec` and `run`.
struct GuestTaskOptions: Sendable {
  var variables: [String] = []
  var files: [String] = []
  var folder: String?
  /// The value of `--script`.
  var script: String?
  /// Whether the command gets a terminal; nil if that follows from this process's input and output.
  var terminal: Bool?

  /// The first of the options that was given.
  var given: String? {
    if !variables.isEmpty { return "--env" }
    if !files.isEmpty { return "--env-file" }
    if folder != nil { return "--workdir" }
    return terminal.map { $0 ? "--tty" : "--no-tty" }
  }

  /// The task of a command with these options.
  ///
  /// A terminal that is asked for, but can't be had, is reported.
  ///
  /// - Throws: ``UsageError``, ``EnvironmentVariable/Failure``, ``FileError``, ``ScriptSource/Failure``.
  func task(_ command: [String]) throws -> GuestTask {
    if folder?.isEmpty == true {
      throw UsageError.badValue(
        parameter: "--workdir", word: "", expected: "the path of a folder in the guest")
    }
    let source = script.map { ScriptSource($0) }
    var task = try GuestTask(command, source.map { .script(try $0.read()) } ?? .exact)
    task.readsInput = source != .standardInput
    task.hasTerminal = wantsTerminal(task)
    task.folder = folder
    // What is named on the command line wins over what a file has.
    task.environment = try files.flatMap { try EnvironmentVariable.read(file: $0) }
    task.environment += try variables.compactMap { try EnvironmentVariable.read($0) }
    return task
  }

  private func wantsTerminal(_ task: GuestTask) -> Bool {
    guard task.readsInput, Terminal.isTerminal(0) else {
      if terminal == true {
        // Forced, the guest would echo the input, and its end would not arrive.
        Output.note("qvm: standard input is not a terminal, so --tty (-t) has no effect\n")
      }
      return false
    }
    return terminal ?? Terminal.isTerminal(1)
  }
}

extension Parameter {
  /// `--env`.
  static func environment(keep: @escaping Keep<String>) -> Self {
    .option(
      "--env", short: "-e", "NAME=VALUE",
      "Set a variable for COMMAND; NAME alone passes qvm's own. May be given several times.",
      keep: keep)
  }

  /// `--env-file`.
  static func environmentFile(keep: @escaping Keep<String>) -> Self {
    .option(
      "--env-file", "FILE",
      "Set the variables of FILE, with NAME=VALUE on each line; quotes are kept.",
      completing: .files, keep: keep)
  }

  /// `--script`.
  static func script(keep: @escaping Keep<String>) -> Self {
    .option(
      "--script", "FILE",
      "Run the lines of FILE by the guest's 'sh -e', with COMMAND as their arguments. -: standard input.",
      completing: .files, keep: keep)
  }

  /// `--tty`.
  static func terminal(keep: @escaping @Sendable (inout Owner) -> Void) -> Self {
    .flag("--tty", short: "-t", "Give COMMAND a terminal.", keep: keep)
  }

  /// `--no-tty`.
  static func noTerminal(keep: @escaping @Sendable (inout Owner) -> Void) -> Self {
    .flag("--no-tty", short: "-T", "Give COMMAND no terminal.", keep: keep)
  }

  /// `--workdir`.
  static func workFolder(_ help: String, keep: @escaping Keep<String>) -> Self {
    .option("--workdir", short: "-w", "DIR", help, keep: keep)
  }
}
