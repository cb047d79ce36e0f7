import QMPClient
import QVMControl

struct LogsCommand: Command {
  static let name = "logs"
  static let summary = "Print what the guest wrote on its console."
  static let discussion: String? = """
    On a terminal the text alone is shown: what would move the cursor, clear the screen, ask the
    terminal something or set its title is left out. A pipe or a file gets every byte as it came, as
    a terminal does with --raw.
    """
  static let parameters: [Parameter<Self>] = [
    .argument("NAME", "The instance, as shown by 'qvm list'.", completing: .instances) {
      $0.instance = $1
    },
    .flag("--follow", short: "-f", "Go on until the VM ends.") { $0.follows = true },
    .flag("--qemu", "Print what QEMU itself printed instead.") { $0.isQEMU = true },
    .flag("--raw", "Print every byte as it came, on a terminal too.") { $0.isRaw = true },
  ]

  var instance = ""
  var follows = false
  var isQEMU = false
  var isRaw = false

  func run() throws -> ExitStatus {
    let store = InstanceStore(try Cache.fromEnvironment())
    let name = try InstanceName(instance)
    let files = try store.existing(name)
    let path = isQEMU ? files.qemuLog : files.console
    let filter = Output.isTerminal && !isRaw ? PlainConsole() : nil
    guard follows else {
      var plain = filter
      if Files.exists(path) { try Self.print(LogFile(path).read(from: 0), &plain) }
      return .done
    }
    let loop = try EventLoop()
    return try loop.run {
      var plain = filter
      try await LogFollower(path: path, lockPath: files.vmLock, on: loop).follow {
        try Self.print($0, &plain)
      }
      return .done
    }
  }

  /// Prints a part of a log, as text where there is something that makes it that.
  private static func print(_ part: LogFile.Part, _ plain: inout PlainConsole?) throws {
    if part.skipped > 0 {
      Output.note("qvm: \(ByteCount.text(part.skipped)) before this are not kept any more\n")
    }
    try Output.print(plain?.read(part.bytes) ?? part.bytes)
  }
}
