import QMPClient
import QVMControl

struct MatrixCommand: Command {
  static let name = "matrix"
  static let summary = "Run a command on several systems, each in a new VM."
  static let discussion: String? = """
    TARGET is OS:VERSION or OS:VERSION/ARCH, such as freebsd:14.3 or openbsd:7.9/arm64. freebsd:14 means
    its newest 14.x, freebsd alone its newest version.

    All versions are looked up first, and all images downloaded. Then each target gets a new instance,
    which runs COMMAND as 'qvm run --rm … -- COMMAND' does, is shut down and removed. As many run side by
    side as the host has memory and processors for. Each line of output begins with its target.

    At the end comes a table. RESULT is one of:

      passed       COMMAND ended with status 0.
      failed       It ended with another status.
      no-boot      The VM did not start.
      not-ready    The guest was not ready within --ready-timeout.
      lost         The connection to the guest was lost while COMMAND ran.
      error        COMMAND could not be run.
      interrupted  Ctrl-C, or --fail-fast, ended it.
      skipped      It was not begun.

    The exit status is 0 only if all have passed. Ctrl-C ends COMMAND on all targets and shuts them down;
    a second one ends QEMU, a third one kills it. Without --ssh-address only this machine can reach the
    guests' ssh servers.
    """
  static let parameters: [Parameter<Self>] =
    [
      .arguments("TARGET", "A system: OS:VERSION or OS:VERSION/ARCH.", completing: .targets) {
        $0.targets.append($1)
      },
      .option(
        "--jobs", short: "-j", "N",
        "How many guests run at the same time (default: what memory and processors allow)."
      ) { $0.jobs = $1 },
      .option(
        "--name", "PREFIX", "What the names of the instances begin with (default: qvm- and a word)."
      ) { $0.prefix = $1 },
      .flag("--fail-fast", "End all others as soon as one has not passed.") { $0.failsFast = true },
      .flag(
        "--json", "Print one JSON document; the guests' output goes to standard error."
      ) { $0.isJSON = true },
      .option("--junit", "FILE", "Write the results as JUnit XML.", completing: .files) {
        $0.junit = $1
      },
      .option(
        "--logs", "DIR", "Write the whole output of each target to a file in DIR.",
        completing: .files
      ) { $0.logs = $1 },
      .flag("--quiet", short: "-q", "Print only the output, errors and the table.") {
        $0.isQuiet = true
      },
    ] + PassedOptions.rows.map { row in .passed(row) { $0.passed.append($1) } } + [
      .trailing("COMMAND", "What to run in each guest.") { $0.command.append($1) }
    ]

  var targets: [String] = []
  var jobs: Int?
  var prefix: String?
  var failsFast = false
  var isJSON = false
  var junit: String?
  var logs: String?
  var isQuiet = false
  /// The options for each run, with their values.
  var passed: [[String]] = []
  var command: [String] = []

  func advice(missing placeholder: String) -> String? {
    "Such as 'qvm matrix freebsd:14.2 openbsd:7.6 -- uname -a'."
  }

  func run() throws -> ExitStatus {
    guard !command.isEmpty || script != nil else {
      throw UsageError.missingArgument(placeholder: "COMMAND", advice: advice(missing: "COMMAND"))
    }
    if let jobs, jobs < 1 { throw MatrixError.badJobs(jobs) }
    let requests = try targets.map(request)
    let prefix = try prefix.map { try InstanceName($0) } ?? InstanceName.random()
    for request in requests {
      guard let any = request.anyTarget else { continue }
      try parsed(try words(any, prefix)).check()
    }
    let cache = try Cache.fromEnvironment()
    try cache.prepare()
    let logs = try prepareReports()
    _ = ServiceNotifier.fromEnvironment()
    let signals = Mailbox<Signal>()
    Signal.handle(Signal.ofSessions) { signals.send($0) }
    let loop = try EventLoop()
    let (began, beganAt) = (Timestamp.now, SuspendingClock.now)
    let ending = try loop.run { () -> Ending? in
      try await GuestSSH.checkClient(on: loop)
      let targets = try await SignalCancellation.cancelling(on: signals, loop) {
        try await prepare(requests, prefix, cache, on: loop)
      }
      guard let targets else { return nil }
      let session = MatrixSession(targets, try options(targets, logs: logs), on: loop)
      let results = await session.run(signals: signals)
      return Ending(
        results: results, isInterrupted: session.isInterrupted, failure: session.failure)
    }
    guard let ending else { return .failed }
    return try report(ending, seconds: beganAt.duration(to: .now).inSeconds, began: began)
  }

  /// What the session has come to.
  private struct Ending: Sendable {
    let results: [MatrixResult]
    let isInterrupted: Bool
    let failure: (any UserFacingError)?
  }

  // MARK: - Before the first boot

  private func request(_ word: String) throws -> TargetRequest {
    do {
      return try TargetWords.request(word, command: Self.name)
    } catch UsageError.unknownSystem(let word, let advice) {
      let isVersion = word.utf8.first.map { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 } == true
      throw UsageError.unknownSystem(
        word,
        advice: isVersion ? "System and version are one word here, such as freebsd:14.2." : advice)
    }
  }

  /// Where the lines of a script come from, if there is one.
  private var script: ScriptSource? {
    passed.last { $0.first == "--script" && $0.count == 2 }.map { ScriptSource($0[1]) }
  }

  /// Creates the folder for logs, and checks that of the report. Returns the former's absolute path.
  private func prepareReports() throws -> String? {
    if let junit {
      let folder = Files.parent(of: Files.absolute(junit))
      guard Files.destination(folder)?.kind == .folder, Files.isWritable(folder) else {
        throw MatrixError.noFolder(folder)
      }
    }
    guard let logs = logs.map(Files.absolute) else { return nil }
    try Files.makeFolder(logs)
    return logs
  }

  /// Chooses all versions, and downloads what is missing.
  ///
  /// - Returns: The targets; nil if a download failed, which has been reported.
  private func prepare(
    _ requests: [TargetRequest], _ prefix: InstanceName, _ cache: Cache, on loop: EventLoop
  ) async throws -> [MatrixTarget]? {
    let client = try ReleaseClient.forTerminal(cache, isQuiet: isQuiet, on: loop)
    let store = InstanceStore(cache)
    var choice = TargetChoice(with: client)
    var targets: [MatrixTarget] = []
    do {
      for request in requests {
        do {
          let target = try await choice.target(request)
          try await choice.check(target)
          let name = try Self.name(target, prefix)
          if targets.contains(where: { $0.target == target }) {
            throw MatrixError.sameTarget(target.label)
          }
          if store.exists(name) { throw MatrixError.nameTaken(name.text) }
          targets.append(MatrixTarget(target, name: name, words: try words(target, prefix)))
        } catch let failure as any UserFacingError where DownloadHint.isDownload(failure) {
          DownloadHint.report(failure, insteadOf: request)
          return nil
        }
      }
      for (target, request) in zip(targets, requests) {
        do {
          _ = try await LaunchPrerequisites.ensure(for: target.target, with: client)
        } catch let failure as any UserFacingError where DownloadHint.isDownload(failure) {
          DownloadHint.report(failure, insteadOf: request)
          return nil
        }
      }
    }
    return targets
  }

  private static func name(_ target: Target, _ prefix: InstanceName) throws -> InstanceName {
    try InstanceName("\(prefix)-\(target.imageName)")
  }

  /// The words for the run of a target.
  private func words(_ target: Target, _ prefix: InstanceName) throws -> [String] {
    let isOpen =
      passed.contains { $0.first == "--ssh-address" }
      || Host.environment("QVM_SSH_ADDRESS") != nil
    let options = passed.flatMap {
      PassedOptions.words($0, for: target.imageName, isAlone: targets.count == 1)
    }
    return
      [
        "--rm", "--quiet", "--name", try Self.name(target, prefix).text,
        "--platform", target.architecture.rawValue,
      ] + (isOpen ? [] : ["--ssh-address", "127.0.0.1"]) + options + [
        target.operatingSystem.rawValue, target.version,
      ] + (command.isEmpty ? [] : ["--"] + command)
  }

  private func parsed(_ words: [String]) throws -> RunCommand {
    try Parser<RunCommand>.parse(words[...]) ?? RunCommand()
  }

  private func options(_ targets: [MatrixTarget], logs: String?) throws -> MatrixSession.Options {
    var options = MatrixSession.Options()
    options.failsFast = failsFast
    options.isQuiet = isQuiet
    options.keepsOutputFree = isJSON
    options.logs = logs
    // Each run reads it again.
    if script == .standardInput { options.input = try ScriptSource.standardInput.read() }
    if let jobs {
      options.jobs = jobs
      return options
    }
    var largest = (memory: 0, cpus: 1)
    for target in targets {
      let run = try parsed(target.words)
      let size = try Driver.find(target.target).size(memory: run.memory, cpus: run.cpus)
      largest = (max(largest.memory, size.memory), max(largest.cpus, size.cpus))
    }
    let capacity = MatrixCapacity(
      guests: targets.count, memory: largest.memory, cpus: largest.cpus,
      available: Host.availableMemory, processors: Host.processors)
    options.jobs = capacity.jobs
    if let reason = capacity.reason, !isQuiet {
      Output.note("qvm: \(capacity.jobs) at a time: \(reason); --jobs changes that\n")
    }
    return options
  }

  // MARK: - At the end

  private func report(_ ending: Ending, seconds: Double, began: Timestamp) throws -> ExitStatus {
    var failure = ending.failure
    if let junit {
      let text = JUnitReport.text(ending.results, seconds: seconds, began: began)
      do {
        try Files.write(Array(text.utf8), to: Files.absolute(junit), mode: 0o644)
      } catch { failure = failure ?? error }
    }
    let hasPassed = ending.results.allSatisfy { $0.verdict == .passed }
    if isJSON {
      try Output.print([
        "schema": 1, "passed": .bool(hasPassed),
        "targets": .array(ending.results.map { .object($0.json) }),
      ])
    } else {
      var table = Table(["TARGET", "RESULT", "EXIT", "BOOT", "COMMAND"])
      for result in ending.results {
        table.add([
          result.target.label, result.verdict.rawValue, result.exit.map(String.init) ?? "-",
          Self.time(result.bootSeconds), Self.time(result.commandSeconds),
        ])
      }
      try Output.show(table.text)
    }
    if let failure { Output.report(failure) }
    if ending.isInterrupted { return .interrupted }
    return hasPassed && failure == nil ? .done : .failed
  }

  private static func time(_ seconds: Double?) -> String {
    guard let seconds else { return "-" }
    let tenths = Int((seconds * 10).rounded())
    return "\(tenths / 10).\(tenths % 10) s"
  }
}
