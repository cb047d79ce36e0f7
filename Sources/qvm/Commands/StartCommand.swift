import QVMControl

struct StartCommand: Command {
  static let name = "start"
  static let summary = "Boot an instance again, as it was created."
  static let parameters: [Parameter<Self>] = [
    .argument("NAME", "The instance, as shown by 'qvm list'.", \.instance, completing: .instances),
    .flag("--detach", short: "-d", "Run in the background; print the name.", \.detaches),
    .flag("--quiet", short: "-q", "Say nothing but what goes wrong.", \.isQuiet),
  ]

  var instance = ""
  var detaches = false
  var isQuiet = false

  func run() throws -> ExitStatus {
    let launch = try Launch(
      existing: try InstanceName(instance), in: InstanceStore(try Cache.fromEnvironment()),
      accelerators: Host.environment("QVM_ACCEL"))
    return try Booting.run(launch, detaches: detaches, isQuiet: isQuiet)
  }
}
