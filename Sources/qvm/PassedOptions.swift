/// The options of `run` that `matrix` takes, too, and passes on to each of its runs.
enum PassedOptions {
  /// By any of their spellings. What concerns one VM alone is missing: its console, its port, its record.
  private static let spellings: Set<String> = [
    "--cpus", "--memory", "--cpu", "--accel", "--ssh-address", "--shutdown-timeout",
    "--ready-timeout", "--qemu-arg", "--volume", "--output", "--env", "-e", "--env-file",
    "--workdir", "-w", "--user", "-u", "--disk", "--script", "--ssh-key", "--exclude", "--all",
  ]

  /// Their rows in the table of `run`.
  static var rows: [ParameterRow] {
    RunCommand.rows.filter { row in
      (row.kind == .option || row.kind == .flag)
        && row.spellings.contains(where: spellings.contains)
    }
  }

  /// The words of an option for one target.
  ///
  /// Results of several targets would overwrite each other: `--output` leads into a folder of the target's
  /// name.
  ///
  /// - Parameters:
  ///   - words: The option, and its value if it has one.
  ///   - target: The target's name for files.
  ///   - isAlone: Whether there is only this target.
  /// - Returns: The option's words for `run`.
  static func words(_ words: [String], for target: String, isAlone: Bool) -> [String] {
    guard words.first == "--output", words.count == 2, !isAlone else { return words }
    guard let colon = words[1].lastIndex(of: ":") else {
      return [words[0], "\(words[1]):\(target)/"]
    }
    let guest = words[1][..<colon]
    var host = words[1][words[1].index(after: colon)...]
    while host.count > 1, host.last == "/" { host.removeLast() }
    return [words[0], "\(guest):\(host.isEmpty ? "" : host == "/" ? "/" : "\(host)/")\(target)/"]
  }
}
