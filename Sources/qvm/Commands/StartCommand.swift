import QVMControl

struct StartCommand: Command {
  static let name = "start"
  static let summary = "Boot an instance again, as it was created; let a paused one go on."
  static let parameters: [Parameter<Self>] = [
    .argument("NAME", "The instance, as shown by 'qvm list'.", completing: .instances) {
      $0.instance = $1
    },
    .flag("--detach", short: "-d", "Run in the background; print the name.") { $0.detaches = true },
    .flag("--quiet", short: "-q", "Say nothing but what goes wrong.") { $0.isQuiet = true },
  ]

  var instance = ""
  var detaches = false
  var isQuiet = false

  func run() throws -> ExitStatus {
    let name = try InstanceName(instance)
    let store = InstanceStore(try Cache.fromEnvironment())
    if let reason = try ResumeRequest.send(name, in: store) {
      Output.note("qvm: \(name) was paused (\(reason)); it goes on\n")
      if detaches { try Output.print("\(name)\n") }
      return .done
    }
    let launch = try Launch(
      existing: name, in: store,
      accelerators: Host.environment("QVM_ACCEL"))
    return try Booting.run(launch, detaches: detaches, isQuiet: isQuiet)
  }
}
