import QVMControl

/// The surroundings of a command in a guest, as options of `exec` and `run`.
struct GuestTaskOptions: Sendable {
  var variables: [String] = []
  var files: [String] = []
  var folder: String?

  /// The first of the options that was given.
  var given: String? {
    if !variables.isEmpty { return "--env" }
    if !files.isEmpty { return "--env-file" }
    return folder == nil ? nil : "--workdir"
  }

  /// The task of a command with these options.
  ///
  /// - Throws: ``UsageError``, ``EnvironmentVariable/Failure``, ``FileError``.
  func task(_ command: [String]) throws -> GuestTask {
    if folder?.isEmpty == true {
      throw UsageError.badValue(
        parameter: "--workdir", word: "", expected: "the path of a folder in the guest")
    }
    var task = GuestTask(command, .exact)
    task.folder = folder
    // What is named on the command line wins over what a file has.
    task.environment = try files.flatMap { try EnvironmentVariable.read(file: $0) }
    task.environment += try variables.compactMap { try EnvironmentVariable.read($0) }
    return task
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

  /// `--workdir`.
  static func workFolder(_ help: String, keep: @escaping Keep<String>) -> Self {
    .option("--workdir", short: "-w", "DIR", help, keep: keep)
  }
}
