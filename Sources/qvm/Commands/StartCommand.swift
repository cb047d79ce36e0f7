import QVMControl

struct StartCommand: Command {
  static let name = "start"
  static let summary = "Boot instances again, or resume paused ones."
  static let discussion: String? = """
    Each instance is booted with the options that it was created with. 'qvm run --name NAME' boots one
    with other options. The guest's console appears on this terminal, as with 'qvm run', unless
    --detach is given. Several instances need --detach.

    A paused instance, such as one whose disk was full, is resumed instead.
    """
  static let parameters: [Parameter<Self>] = [
    .arguments("NAME", "Instances, as shown by 'qvm list'.", completing: .instances) {
      $0.names.append($1)
    },
    .flag("--detach", short: "-d", "Run in the background, and print the instance's name.") {
      $0.detaches = true
    },
    .flag("--quiet", short: "-q", "Print only errors.") { $0.isQuiet = true },
    .escape { $0.escape = $1 },
  ]

  var names: [String] = []
  var detaches = false
  var isQuiet = false
  var escape: String?

  func advice(trailing words: [String]) -> String? {
    SSHCommand.advice(running: words, in: names.first)
  }

  func run() throws -> ExitStatus {
    let names = try InstanceName.distinct(names)
    let escape = try EscapeKey.chosen(escape)
    try RunOptionValidation.checkHost(accelerators: nil)
    let store = InstanceStore(try Cache.fromEnvironment())
    guard names.count > 1 else {
      guard let launch = try launch(names[0], in: store) else { return .done }
      return try LaunchRunner.run(launch, detaches: detaches, isQuiet: isQuiet, escape: escape)
    }
    // Such as 'start freebsd 14.2', where a new instance is wanted.
    if OperatingSystem(word: names[0].text) != nil { _ = try store.existing(names[0]) }
    // A terminal can show only one console.
    guard detaches else {
      throw UsageError.oneNameOnly(
        "a start in the foreground", advice: "Add --detach (-d) to start several instances.")
    }
    var launches: [Launch] = []
    var failures: [ExitStatus] = []
    for name in names {
      do {
        if let launch = try launch(name, in: store) { launches.append(launch) }
      } catch let failure as any UserFacingError {
        if failure is OutputError { throw failure }
        Output.report(failure)
        failures.append(failure.exitStatus)
      }
    }
    let status = try LaunchRunner.detached(launches, isQuiet: isQuiet)
    return status == .done ? failures.first ?? .done : status
  }

  /// The launch that boots an instance; nil if it was paused and has been resumed.
  private func launch(_ name: InstanceName, in store: InstanceStore) throws -> Launch? {
    if let reason = try ResumeRequest.send(name, in: store) {
      Output.note("qvm: resumed \(name), which was paused (\(reason))\n")
      if detaches { try Output.print("\(name)\n") }
      return nil
    }
    return try Launch(
      existing: name, in: store,
      accelerators: RunOptionValidation.acceleratorsOfEnvironment())
  }
}
