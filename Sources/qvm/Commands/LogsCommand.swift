import QMPClient
import QVMControl

struct LogsCommand: Command {
  static let name = "logs"
  static let summary = "Print the console output of guests."
  static let discussion: String? = """
    A terminal gets only text: control sequences that would move the cursor, clear the screen, query
    the terminal or set its title are left out. A pipe or a file gets every byte unchanged, and so does
    a terminal with --raw. If several instances are named, a line such as '==> box <==' comes before
    the output of each.

    --boot prints the output of one boot. Without N, or with 0, it is the last boot; -1 is the one
    before. Positive numbers count from the instance's first boot, which is 1. The last 32 boots can be
    chosen, as far as their output is kept.
    """
  static let parameters: [Parameter<Self>] = [
    .arguments("NAME", "Instances, as shown by 'qvm list'.", completing: .instances) {
      $0.names.append($1)
    },
    .flag("--follow", short: "-f", "Follow the log until the VM exits.") { $0.follows = true },
    .option("--tail", short: "-n", "LINES", "Print only the last LINES lines.") { $0.lines = $1 },
    .numberOption(
      "--boot", orNone: 0, "N", "Print the output of one boot, such as -1 for the last but one."
    ) {
      $0.boot = $1
    },
    .flag("--qemu", "Print QEMU's own messages instead.") { $0.isQEMU = true },
    .flag("--raw", "Print every byte unchanged, even on a terminal.") { $0.isRaw = true },
  ]

  var names: [String] = []
  var follows = false
  var lines: Int?
  var boot: Int?
  var isQEMU = false
  var isRaw = false

  func run() throws -> ExitStatus {
    if let lines, lines < 0 {
      throw UsageError.badValue(
        parameter: "--tail", word: String(lines), expected: "0 or a positive number")
    }
    if boot != nil, isQEMU {
      throw UsageError.contradiction("--boot", "--qemu, which shows the last boot")
    }
    let store = InstanceStore(try Cache.fromEnvironment())
    let names = try InstanceName.distinct(names)
    let filter = Output.isTerminal && !isRaw ? PlainConsole() : nil
    if follows {
      guard names.count == 1 else {
        throw UsageError.oneNameOnly(
          "--follow", advice: "Run the command once for each instance, in separate terminals.")
      }
      return try follow(names[0], try store.existing(names[0]), filter)
    }
    var failure: ExitStatus?
    for name in names {
      do {
        let files = try store.existing(name)
        let place = try place(of: name, files)
        if names.count > 1 { try Output.show("==> \(name) <==\n") }
        var plain = filter
        if Files.exists(path(files)) {
          try Output.show(Self.text(of: part(files, place), &plain))
        }
      } catch let error as any UserFacingError {
        if error is OutputError { throw error }
        Output.report(error)
        failure = failure ?? error.exitStatus
      }
    }
    return failure ?? .done
  }

  private func follow(
    _ name: InstanceName, _ files: InstanceFiles, _ filter: PlainConsole?
  ) throws -> ExitStatus {
    let path = path(files)
    var place = try place(of: name, files)
    if let boot, place.end != nil {
      throw UsageError.contradiction("--follow", "--boot \(boot): that boot has ended")
    }
    var plain = filter
    if lines != nil, Files.exists(path) {
      let part = try part(files, place)
      try Output.print(Self.text(of: part, &plain))
      place.start = part.end
    }
    let (begin, rest) = (place.start, plain)
    let loop = try EventLoop()
    return try loop.run {
      var plain = rest
      try await LogFollower(path: path, lockPath: files.vmLock, from: begin, on: loop).follow {
        try Output.print(Self.text(of: $0, &plain))
      }
      return .done
    }
  }

  private func path(_ files: InstanceFiles) -> String { isQEMU ? files.qemuLog : files.console }

  /// The position in the log where the chosen part begins, and where it ends; nil for the end of the log.
  private func place(
    of name: InstanceName, _ files: InstanceFiles
  ) throws -> (start: Int, end: Int?) {
    guard let boot else { return (0, nil) }
    return try ConsoleBoots(name, files).part(of: boot)
  }

  private func part(
    _ files: InstanceFiles, _ place: (start: Int, end: Int?)
  ) throws(FileError) -> LogFile.Part {
    let part = try LogFile(path(files)).read(from: place.start, to: place.end)
    return lines.map(part.lastLines) ?? part
  }

  /// The bytes to print of a part of a log: plain text if there is a filter for that.
  private static func text(of part: LogFile.Part, _ plain: inout PlainConsole?) -> [UInt8] {
    if part.skipped > 0 {
      Output.note("qvm: \(ByteCount.text(part.skipped)) of earlier output were discarded\n")
    }
    return plain?.read(part.bytes) ?? part.bytes
  }
}
