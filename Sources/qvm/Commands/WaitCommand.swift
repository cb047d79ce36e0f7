import QMPClient
import QVMControl

struct WaitCommand: Command {
  static let name = "wait"
  static let summary = "Wait until an instance is ready, running or stopped."
  static let discussion: String? = """
    'ready' is the guest's own word: its ssh server greets, or its console shows what its driver
    names. 'console:TEXT' waits for a text on the console, from the start of this boot. What a wait
    still lacks is told after 10 s, after 1 min and then every 5 min.
    """
  static let parameters: [Parameter<Self>] = [
    .argument("NAME", "The instance, as shown by 'qvm list'.", completing: .instances) {
      $0.instance = $1
    },
    .option(
      "--for", "WHAT", "ready, running, stopped or console:TEXT (default: ready)."
    ) { $0.condition = $1 },
    .option("--timeout", "SECONDS", "Give up after so long, with exit status 124.") {
      $0.timeout = $1
    },
    .flag("--json", "Print one JSON document.") { $0.isJSON = true },
  ]

  var instance = ""
  var condition = WaitCondition.ready
  var timeout: Int?
  var isJSON = false

  func run() throws -> ExitStatus {
    let limit = try timeout.map { try RunOptionValue.timeout($0) }
    let store = InstanceStore(try Cache.fromEnvironment())
    let name = try InstanceName(instance)
    _ = try store.existing(name)
    let loop = try EventLoop()
    let start = SuspendingClock.now
    let condition = self.condition
    let result = try loop.run {
      var waiting = Waiting(name, in: store, on: loop)
      waiting.remark = { Output.note("qvm: \($0)\n") }
      return try await waiting.wait(for: condition, within: limit)
    }
    if isJSON {
      try Output.print([
        "schema": 1, "name": .string(name.text), "for": .string(condition.description),
        "result": .string(result.word),
        "seconds": .double(start.duration(to: .now).inSeconds),
      ])
    }
    if let text = result.sentence(name, condition) { Output.note("qvm: \(text)\n") }
    return result.exitStatus
  }
}

extension WaitCondition: ParameterValue {
  static let expectation = "ready, running, stopped or console:TEXT"
  static let candidates = Candidates.words { ["ready", "running", "stopped", "console:"] }
}
