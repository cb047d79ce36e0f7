import QMPClient
import QVMControl

struct LogsCommand: Command {
  static let name = "logs"
  static let summary = "Print what the guest wrote on its console."
  static let parameters: [Parameter<Self>] = [
    .argument("NAME", "The instance, as shown by 'qvm list'.", completing: .instances) {
      $0.instance = $1
    },
    .flag("--follow", short: "-f", "Go on until the VM ends.") { $0.follows = true },
    .flag("--qemu", "Print what QEMU itself printed instead.") { $0.isQEMU = true },
  ]

  var instance = ""
  var follows = false
  var isQEMU = false

  func run() throws -> ExitStatus {
    let store = InstanceStore(try Cache.fromEnvironment())
    let name = try InstanceName(instance)
    let files = try store.existing(name)
    let path = isQEMU ? files.qemuLog : files.console
    guard follows else {
      if Files.exists(path) { try print(LogFile(path).read(from: 0)) }
      return .done
    }
    let loop = try EventLoop()
    return try loop.run {
      try await LogFollower(path: path, lockPath: files.vmLock, on: loop).follow { try print($0) }
      return .done
    }
  }

  private func print(_ part: LogFile.Part) throws {
    if part.skipped > 0 {
      Output.note("qvm: \(ByteCount.text(part.skipped)) before this are not kept any more\n")
    }
    try Output.print(part.bytes)
  }
}
