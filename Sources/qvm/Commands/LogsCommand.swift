import QMPClient
import QVMControl

struct LogsCommand: Command {
  static let name = "logs"
  static let summary = "Print what guests wrote on their consoles."
  static let discussion: String? = """
    On a terminal the text alone is shown: what would move the cursor, clear the screen, ask the
    terminal something or set its title is left out. A pipe or a file gets every byte as it came, as
    a terminal does with --raw. Of several instances a line such as '==> box <==' begins each.
    """
  static let parameters: [Parameter<Self>] = [
    .arguments("NAME", "Instances, as shown by 'qvm list'.", completing: .instances) {
      $0.names.append($1)
    },
    .flag("--follow", short: "-f", "Go on until the VM ends.") { $0.follows = true },
    .flag("--qemu", "Print what QEMU itself printed instead.") { $0.isQEMU = true },
    .flag("--raw", "Print every byte as it came, on a terminal too.") { $0.isRaw = true },
  ]

  var names: [String] = []
  var follows = false
  var isQEMU = false
  var isRaw = false

  func run() throws -> ExitStatus {
    let store = InstanceStore(try Cache.fromEnvironment())
    let names = try InstanceName.distinct(names)
    let filter = Output.isTerminal && !isRaw ? PlainConsole() : nil
    if follows {
      guard names.count == 1 else {
        throw UsageError.oneNameOnly("--follow", advice: "Follow each in a terminal of its own.")
      }
      return try follow(try store.existing(names[0]), filter)
    }
    var failure: ExitStatus?
    for name in names {
      let files: InstanceFiles
      do throws(InstanceError) { files = try store.existing(name) } catch {
        Output.report(error)
        failure = failure ?? error.exitStatus
        continue
      }
      if names.count > 1 { try Output.show("==> \(name) <==\n") }
      let path = path(files)
      var plain = filter
      if Files.exists(path) {
        try Output.show(Self.text(of: LogFile(path).read(from: 0), &plain))
      }
    }
    return failure ?? .done
  }

  private func follow(_ files: InstanceFiles, _ filter: PlainConsole?) throws -> ExitStatus {
    let path = path(files)
    let loop = try EventLoop()
    return try loop.run {
      var plain = filter
      try await LogFollower(path: path, lockPath: files.vmLock, on: loop).follow {
        try Output.print(Self.text(of: $0, &plain))
      }
      return .done
    }
  }

  private func path(_ files: InstanceFiles) -> String { isQEMU ? files.qemuLog : files.console }

  /// What to print of a part of a log: text where there is something that makes it that.
  private static func text(of part: LogFile.Part, _ plain: inout PlainConsole?) -> [UInt8] {
    if part.skipped > 0 {
      Output.note("qvm: \(ByteCount.text(part.skipped)) before this are not kept any more\n")
    }
    return plain?.read(part.bytes) ?? part.bytes
  }
}
