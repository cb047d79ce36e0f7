import QMPClient
import QVMControl

struct WaitCommand: Command {
  static let name = "wait"
  static let summary = "Wait until instances are ready, running or stopped."
  static let discussion: String? = """
    'ready' is the guest's own word: its ssh server greets, or its console shows what its driver
    names. 'console:TEXT' waits for a text on the console, as a person reads it there, from the start
    of this boot. What a wait still lacks is told after 10 s, after 1 min and then every 5 min. Of
    several instances all must get there; each that doesn't is named, and the exit status is that of
    the first of them.
    """
  static let parameters: [Parameter<Self>] = [
    .arguments("NAME", "Instances, as shown by 'qvm list'.", completing: .instances) {
      $0.names.append($1)
    },
    .option(
      "--for", "WHAT", "ready, running, stopped or console:TEXT (default: ready)."
    ) { $0.condition = $1 },
    .option("--timeout", "SECONDS", "Give up after so long, with exit status 124.") {
      $0.timeout = $1
    },
    .flag("--json", "Print one JSON document.") { $0.isJSON = true },
  ]

  var names: [String] = []
  var condition = WaitCondition.ready
  var timeout: Int?
  var isJSON = false

  /// What the wait for one instance came to; `seconds` after the start.
  private struct End: Sendable {
    let name: InstanceName
    let result: Result<WaitResult, any Error>
    let seconds: Double

    var exitStatus: ExitStatus {
      switch result {
      case .success(let result): result.exitStatus
      case .failure(let failure): (failure as? any UserFacingError)?.exitStatus ?? .failed
      }
    }

    /// Says what went wrong, if anything.
    func report(_ condition: WaitCondition) {
      switch result {
      case .success(let result):
        if let text = result.sentence(name, condition) { Output.note("qvm: \(text)\n") }
      case .failure(let failure as any UserFacingError): Output.report(failure)
      case .failure(let error): Output.note("qvm: \(error)\n")
      }
    }
  }

  func run() throws -> ExitStatus {
    let limit = try timeout.map { try RunOptionValidation.timeout($0) }
    let store = InstanceStore(try Cache.fromEnvironment())
    let names = try InstanceName.distinct(names)
    // One that isn't there never gets ready: the others needn't be waited for.
    for name in names { _ = try store.existing(name) }
    let ends = try wait(for: names, in: store, within: limit)
    let documents = ends.compactMap(document)
    if isJSON, names.count > 1 {
      try Output.print(["schema": 1, "instances": .array(documents.map(JSONValue.object))])
    } else if isJSON, let document = documents.first {
      var whole: JSONObject = ["schema": 1]
      for member in document.members { whole[member.name] = member.value }
      try Output.print(whole)
    }
    return ends.map(\.exitStatus).first { $0 != .done } ?? .done
  }

  /// Waits for all of them side by side, and tells of each that fails when it does.
  ///
  /// - Returns: Their ends in the order of `names`.
  private func wait(
    for names: [InstanceName], in store: InstanceStore, within limit: Duration?
  ) throws -> [End] {
    let loop = try EventLoop()
    let start = SuspendingClock.now
    let condition = self.condition
    return try loop.run {
      let tasks = names.map { name in
        Task(executorPreference: loop) { () -> End in
          var waiting = InstanceWait(name, in: store, on: loop)
          waiting.remark = { Output.note("qvm: \($0)\n") }
          let result: Result<WaitResult, any Error>
          do { result = .success(try await waiting.wait(for: condition, within: limit)) } catch {
            result = .failure(error)
          }
          let end = End(
            name: name, result: result, seconds: start.duration(to: .now).inSeconds)
          end.report(condition)
          return end
        }
      }
      var ends: [End] = []
      for task in tasks { ends.append(await task.value) }
      return ends
    }
  }

  private func document(_ end: End) -> JSONObject? {
    guard case .success(let result) = end.result else { return nil }
    return [
      "name": .string(end.name.text), "for": .string(condition.description),
      "result": .string(result.word), "seconds": .double(end.seconds),
    ]
  }
}

extension WaitCondition: ParameterValue {
  static let expectation = "ready, running, stopped or console:TEXT"
  static let candidates = CompletionSource.words { ["ready", "running", "stopped", "console:"] }
}
