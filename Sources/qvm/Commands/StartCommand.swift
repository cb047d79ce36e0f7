import QVMControl

struct StartCommand: Command {
  static let name = "start"
  static let summary = "Boot instances again, as they were created; let paused ones go on."
  static let parameters: [Parameter<Self>] = [
    .arguments("NAME", "Instances, as shown by 'qvm list'.", completing: .instances) {
      $0.names.append($1)
    },
    .flag("--detach", short: "-d", "Run in the background; print the name.") { $0.detaches = true },
    .flag("--quiet", short: "-q", "Say nothing but what goes wrong.") { $0.isQuiet = true },
    .escape { $0.escape = $1 },
  ]

  var names: [String] = []
  var detaches = false
  var isQuiet = false
  var escape: String?

  func run() throws -> ExitStatus {
    let names = try InstanceName.distinct(names)
    let escape = try EscapeKey.chosen(escape)
    let store = InstanceStore(try Cache.fromEnvironment())
    guard names.count > 1 else {
      guard let launch = try launch(names[0], in: store) else { return .done }
      return try LaunchRunner.run(launch, detaches: detaches, isQuiet: isQuiet, escape: escape)
    }
    // A terminal has room for one console.
    guard detaches else {
      throw UsageError.oneNameOnly(
        "a start in the foreground", advice: "Start several with --detach (-d).")
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

  /// What boots an instance; nil for one that was paused, and has been told to go on.
  private func launch(_ name: InstanceName, in store: InstanceStore) throws -> Launch? {
    if let reason = try ResumeRequest.send(name, in: store) {
      Output.note("qvm: \(name) was paused (\(reason)); it goes on\n")
      if detaches { try Output.print("\(name)\n") }
      return nil
    }
    return try Launch(
      existing: name, in: store,
      accelerators: RunOptionValidation.acceleratorsOfEnvironment())
  }
}
