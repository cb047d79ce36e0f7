import QMPClient
import QVMControl

struct ListCommand: Command {
  static let name = "list"
  static let aliases = ["ls"]
  static let summary = "List all instances."
  static let parameters: [Parameter<Self>] = [
    .flag("--json", "Print one JSON document.") { $0.isJSON = true }
  ]

  var isJSON = false

  func run() throws -> ExitStatus {
    let all = try VMStatus.all(in: InstanceStore(try Cache.fromEnvironment()))
    if isJSON {
      try Output.print([
        "schema": 1, "instances": .array(all.map { .object($0.json) }),
      ])
      return .done
    }
    var table = Table(["NAME", "OS", "VERSION", "ARCH", "STATE", "SSH", "SIZE", "CREATED"])
    for status in all {
      let target = status.record?.target
      table.add([
        status.name, target?.operatingSystem.rawValue ?? "-", target?.version ?? "-",
        target?.architecture.rawValue ?? "-", status.phaseText, status.ssh ?? "-",
        ByteCount.text(status.size), status.record?.createdAt.description ?? "-",
      ])
    }
    try Output.print(table.text)
    return .done
  }
}

extension VMStatus {
  /// The phase as the tables show it, with the reason where that says more.
  var phaseText: String {
    switch (phase, reason) {
    case (.paused, let reason?), (.crashed, let reason?), (.stopped, let reason?):
      "\(phase.rawValue) (\(reason))"
    default: phase.rawValue
    }
  }
}
