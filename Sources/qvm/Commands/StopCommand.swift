import QVMControl

struct StopCommand: Command {
  static let name = "stop"
  static let summary = "Shut instances down, and wait until they have."
  static let parameters: [Parameter<Self>] = [
    .arguments("NAME", "Instances, as shown by 'qvm list'.", \.names, completing: .instances),
    .option("--timeout", "SECONDS", "How long a guest may take before it is forced.", \.timeout),
    .flag("--force", "End QEMU at once, without asking the guest.", \.isForced),
  ]

  var names: [String] = []
  var timeout: Int?
  var isForced = false

  func run() throws -> ExitStatus {
    if let timeout { _ = try RunOptionValue.timeout(timeout) }
    let store = InstanceStore(try Cache.fromEnvironment())
    let names = try names.map { try InstanceName($0) }
    var stops: [(InstanceName, StopRequest)] = []
    var status = ExitStatus.done
    // All of them are asked first, so that they shut down side by side.
    for name in names {
      do {
        stops.append((name, try StopRequest(name, in: store, force: isForced, timeout: timeout)))
      } catch let failure as any QVMFailure {
        Output.report(failure)
        status = failure.exitStatus
      }
    }
    for (name, stop) in stops {
      do {
        let result = try stop.wait { Output.note("qvm: \($0)\n") }
        Output.note("qvm: \(result.sentence)\n")
        if !result.isGood { status = .failed }
      } catch let failure as any QVMFailure {
        Output.note("qvm: \(name):\n")
        Output.report(failure)
        status = failure.exitStatus
      }
    }
    return status
  }
}
