package import QMPClient

/// `qvm matrix`: runs a command on several guests side by side, and ends all of them properly.
package final class MatrixSession {
  private enum Input: Sendable {
    case signal(Signal)
    case run(Int, MatrixRun.Input)
  }

  /// What the user chose.
  package struct Options: Sendable {
    /// How many guests run at the same time at most.
    package var jobs = 1
    /// Whether the first one that doesn't pass ends all.
    package var failsFast = false
    /// Whether only failures are reported.
    package var isQuiet = false
    /// Whether the guests' standard output goes to standard error.
    package var keepsOutputFree = false
    /// The folder for a log of each target; nil for none.
    package var logs: String?
    /// The standard input of each run; nil for none.
    package var input: [UInt8]?

    package init() {}
  }

  private let targets: [MatrixTarget]
  private let options: Options
  private let loop: EventLoop
  private let output: MatrixOutput
  private let inputs = Mailbox<Input>()
  private var escalation = SignalEscalation()
  private var runs: [Int: MatrixRun] = [:]
  private var waiting: [Int]
  private var results: [MatrixResult]
  /// The first failure of this process's own, such as of its output.
  package private(set) var failure: (any UserFacingError)?
  private var isEnding = false

  package init(_ targets: [MatrixTarget], _ options: Options, on loop: EventLoop) {
    self.targets = targets
    self.options = options
    self.loop = loop
    output = MatrixOutput(on: loop)
    waiting = Array(targets.indices)
    results = targets.map { MatrixResult($0) }
  }

  /// Whether a signal ended it.
  package var isInterrupted: Bool { escalation.step > 0 }

  /// Runs all targets. Returns a result for each, in their order.
  package func run(signals: Mailbox<Signal>) async -> [MatrixResult] {
    let inputs = self.inputs
    let forwarding = signals.forward(to: inputs, on: loop) { .signal($0) }
    defer { forwarding.cancel() }
    startMore()
    while !runs.isEmpty, let input = await inputs.next() {
      switch input {
      case .signal(let signal): handle(signal)
      case .run(let index, let input): handle(input, of: index)
      }
    }
    return results
  }

  private func startMore() {
    while !isEnding, runs.count < options.jobs, !waiting.isEmpty {
      start(waiting.removeFirst())
    }
  }

  private func start(_ index: Int) {
    let target = targets[index]
    let log = options.logs.map { "\($0)/\(target.target.imageName).log" }
    let inputs = self.inputs
    let run: MatrixRun
    do {
      run = try MatrixRun(
        target, tag: tag(of: index), outputNumber: options.keepsOutputFree ? 2 : 1,
        input: options.input, log: log, output: output, on: loop
      ) { inputs.send(.run(index, $0)) }
    } catch {
      results[index].verdict = .error
      results[index].detail = error.messageForUser
      say(error.messageForUser, index)
      return
    }
    runs[index] = run
  }

  private func tag(of index: Int) -> MatrixTag {
    MatrixTag(
      targets[index].label, width: targets.map(\.label.count).max() ?? 0, index: index)
  }

  // MARK: - What happens

  private func handle(_ input: MatrixRun.Input, of index: Int) {
    guard let run = runs[index] else { return }
    switch input {
    case .milestone(.running): sayUnlessQuiet("boots", index)
    case .milestone(.ready): sayUnlessQuiet("is ready; the command starts", index)
    case .milestone(.commandEnded(let status)):
      sayUnlessQuiet("the command ended with status \(status)", index)
    case .outputFailed(let error):
      // As of `run`: without its reader the output has no purpose.
      failure = failure ?? error
      endAll(by: .interrupt)
    case .milestone(.lost), .bytes, .closed, .processEnded, .drained: break
    }
    guard let result = run.take(input) else {
      if escalation.isForcing { drain(run, index) }
      return
    }
    results[index] = result
    runs[index] = nil
    if let error = run.logFailure { failure = failure ?? error }
    if options.failsFast, result.verdict != .passed, !isEnding { endAll(by: .interrupt) }
    startMore()
  }

  private func handle(_ signal: Signal) {
    guard signal.asksForEnd else {
      if signal == .terminalStop { Signal.stopThisProcess() }
      return
    }
    guard let rung = escalation.rung(for: signal) else { return }
    let count = runs.count == 1 ? "the guest" : "\(runs.count) guests"
    let text =
      switch rung {
      case .powerButton: "shutting \(count) down… (Ctrl-C again to force)"
      case .quit: "ending \(count) without asking…"
      default: "killing \(count)…"
      }
    write("qvm: \(text)\n")
    // The runs count these as the terminal counts keys, and come to the same rung.
    endAll(by: signal)
    if escalation.isForcing { for (index, run) in runs { drain(run, index) } }
  }

  /// Keeps output that no reader takes from holding up the end, if the user wants that at once.
  private func drain(_ run: MatrixRun, _ index: Int) {
    let inputs = self.inputs
    run.drain { inputs.send(.run(index, $0)) }
  }

  private func endAll(by signal: Signal) {
    isEnding = true
    for run in runs.values { run.pass(signal) }
  }

  // MARK: - Saying

  private func sayUnlessQuiet(_ text: String, _ index: Int) {
    if !options.isQuiet { say(text, index) }
  }

  private func say(_ text: String, _ index: Int) {
    write("\(tag(of: index).text(for: 2))qvm: \(ForeignText.line(text))\n")
  }

  private func write(_ line: String) {
    let output = output
    _ = Task(executorPreference: loop) { try? await output.write(Array(line.utf8), to: 2) }
  }
}
