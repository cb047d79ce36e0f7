import QVMControl

struct RemoveCommand: Command {
  static let name = "rm"
  static let summary = "Remove instances and their disks."
  static let discussion: String? = """
    The disk, the logs and the record of each instance are deleted. Base images are kept; 'qvm prune'
    removes those that no instance needs. Without --force a running instance is not removed.
    """
  static let parameters: [Parameter<Self>] = [
    .arguments("NAME", "Instances, as shown by 'qvm list'.", completing: .instances) {
      $0.names.append($1)
    },
    .flag("--force", short: "-f", "Stop running instances first, without asking their guests.") {
      $0.isForced = true
    },
  ]

  var names: [String] = []
  var isForced = false

  func run() throws -> ExitStatus {
    let store = InstanceStore(try Cache.fromEnvironment())
    // If one of the arguments is not a name, nothing is removed: it may be a typing error.
    let names = try InstanceName.distinct(names)
    try store.cache.requireOwn()
    store.sweep()
    var status = ExitStatus.done
    for name in names {
      do {
        if isForced, store.exists(name) {
          let stop = try StopRequest(name, in: store, force: true, timeout: nil)
          _ = try stop.wait { Output.note("qvm: \($0)\n") }
          // Its own --rm may have removed it first.
          if !store.exists(name) {
            try Output.print("\(name)\n")
            continue
          }
        }
        try store.remove(name)
        try Output.print("\(name)\n")
      } catch let failure as any UserFacingError {
        Output.report(failure)
        status = failure.exitStatus
      }
    }
    return status
  }
}
