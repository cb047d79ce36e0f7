import QMPClient
import QVMControl

struct LogsCommand: Command {
  static let name = "logs"
  static let summary = "Print what guests wrote on their consoles."
  static let discussion: String? = """
    On a terminal the text alone is shown: what would move the cursor, clear the screen, ask the
    terminal something or set its title is left out. A pipe or a file gets every byte as it came, as
    a terminal does with --raw. Of several instances a line such as '==> box <==' begins each.

    --boot shows one boot's part: the last one's without a value or with 0, the one before with -1, or
    counted from the instance's first, which is 1. The last 32 are known, as far as their text is kept.
    """
  static let parameters: [Parameter<Self>] = [
    .arguments("NAME", "Instances, as shown by 'qvm list'.", completing: .instances) {
      $0.names.append($1)
    },
    .flag("--follow", short: "-f", "Go on until the VM ends.") { $0.follows = true },
    .option("--tail", short: "-n", "LINES", "Print the last lines only.") { $0.lines = $1 },
    .numberOption(
      "--boot", orNone: 0, "N", "Print one boot's part, such as -1 for the last but one."
    ) {
      $0.boot = $1
    },
    .flag("--qemu", "Print what QEMU itself printed instead.") { $0.isQEMU = true },
    .flag("--raw", "Print every byte as it came, on a terminal too.") { $0.isRaw = true },
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
        parameter: "--tail", word: String(lines), expected: "a number of lines from 0 on")
    }
    if boot != nil, isQEMU {
      throw UsageError.contradiction("--boot", "--qemu, which has the last only")
    }
    let store = InstanceStore(try Cache.fromEnvironment())
    let names = try InstanceName.distinct(names)
    let filter = Output.isTerminal && !isRaw ? PlainConsole() : nil
    if follows {
      guard names.count == 1 else {
        throw UsageError.oneNameOnly("--follow", advice: "Follow each in a terminal of its own.")
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
      throw UsageError.contradiction("--follow", "--boot \(boot), which is over")
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

  /// Where in the log the part begins that is asked for, and where it ends if not with the log.
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

  /// What to print of a part of a log: text where there is something that makes it that.
  private static func text(of part: LogFile.Part, _ plain: inout PlainConsole?) -> [UInt8] {
    if part.skipped > 0 {
      Output.note("qvm: \(ByteCount.text(part.skipped)) before this are not kept any more\n")
    }
    return plain?.read(part.bytes) ?? part.bytes
  }
}
