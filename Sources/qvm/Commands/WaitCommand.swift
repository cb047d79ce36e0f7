import QMPClient
import QVMControl

struct WaitCommand: Command {
  static let name = "wait"
  static let summary = "Wait until instances are ready, running or stopped."
  static let discussion: String? = """
    A guest is 'ready' when its ssh server responds, or when its console shows a known text, such as
    the built-in guest's. 'console:TEXT' waits until this boot has printed TEXT on the console; control
    sequences between its letters do not matter. 'port:N' waits until a program in the guest listens on
    its TCP port N. The guest itself is asked over ssh, because QEMU accepts connections before that.

    A time such as that of --timeout is in seconds, or has a unit: 90s, 5m, 1h.

    qvm reports what is still missing after 10 s, after 1 min and then every 5 min. If several
    instances are named, the condition must hold for all of them. Each instance that fails is reported,
    and the exit status is that of the first one.
    """
  static let parameters: [Parameter<Self>] = [
    .arguments("NAME", "Instances, as shown by 'qvm list'.", completing: .instances) {
      $0.names.append($1)
    },
    .option(
      "--for", "WHAT",
      "The condition: ready, running, stopped, port:N or console:TEXT (default: ready)."
    ) { $0.condition = $1 },
    .option(
      "--timeout", "SECONDS", "Give up after this time, with exit status 124 (default: no limit)."
    ) { (command: inout Self, time: Seconds) in command.timeout = time.count },
    .flag("--json", "Print one JSON document.") { $0.isJSON = true },
  ]

  var names: [String] = []
  var condition = WaitCondition.ready
  var timeout: Int?
  var isJSON = false

  /// The result of the wait for one instance; `seconds` after the start.
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

    /// Reports a failure, if there is one.
    func report(_ condition: WaitCondition) {
      switch result {
      case .success(let result):
        if let text = result.sentence(name, condition, timeoutBy: "--timeout") {
          Output.note("qvm: \(text)\n")
        }
      case .failure(let failure as any UserFacingError): Output.report(failure)
      case .failure(let error): Output.note("qvm: \(error)\n")
      }
    }
  }

  func run() throws -> ExitStatus {
    let limit = try timeout.map { try RunOptionValidation.timeout($0) }
    let store = InstanceStore(try Cache.fromEnvironment())
    let names = try InstanceName.distinct(names)
    // A missing instance never becomes ready, so there is no point in waiting for the others.
    for name in names { _ = try store.existing(name) }
    InterruptNote.install(
      "no longer waiting; \(names.map(\.text).joined(separator: ", ")) \(names.count == 1 ? "is" : "are")"
        + " not affected. \(InterruptNote.look(names.map(\.text)))")
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

  /// Waits for all of them in parallel, and reports each failure at once.
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
  static let expectation = "ready, running, stopped, port:N or console:TEXT"
  static let candidates = CompletionSource.words {
    ["ready", "running", "stopped", "port:", "console:"]
  }
}
