import QMPClient
import QVMControl

struct PortCommand: Command {
  /// What to do with the ports.
  enum Action: String, ParameterValue, CaseIterable {
    case list, add, rm
  }

  static let name = "port"
  static let summary = "Show or change the ports that lead to a guest."
  static let discussion: String? = """
    'add' forwards ports of this machine to the guest, and 'rm' ends that. Both hold at once if the VM
    runs, and for the next boots. PORT is [ADDRESS:]HOST:GUEST, with /udp after it for UDP. Without
    ADDRESS only this machine can connect (127.0.0.1); 0.0.0.0 lets other machines connect. 0 as HOST
    stands for a free port, which is printed; at each boot another one is chosen. For 'rm', ADDRESS and
    GUEST may be left out.

      qvm port box add 8080:80 0:5432
      qvm port box
      qvm port box rm 8080

    Connections that are open when a port is removed stay open. A port accepts connections even if no
    program of the guest listens there; they are closed at once. QEMU forwards no IPv6.

    The port of ssh is not one of these; 'qvm status' shows it.
    """
  static let parameters: [Parameter<Self>] = [
    .argument("NAME", "The instance, as shown by 'qvm list'.", completing: .instances) {
      $0.instance = $1
    },
    .argument("ACTION", orNone: true, "list (the default), add or rm.") { $0.action = $1 },
    .arguments("PORT", orNone: true, "The ports to add or to remove.") { $0.ports.append($1) },
    .flag("--json", "Print one JSON document.") { $0.isJSON = true },
  ]

  var instance = ""
  var action = Action.list
  var ports: [String] = []
  var isJSON = false

  func run() throws -> ExitStatus {
    let store = InstanceStore(try Cache.fromEnvironment())
    let name = try InstanceName(instance)
    switch action {
    case .list:
      if let word = ports.first {
        throw UsageError.misplacedArgument(word, advice: "'qvm port \(name) add \(word)' adds it.")
      }
      return try show(VMStatus.inspect(name, in: store))
    case .add:
      // If one of them can't be understood, none is added.
      let ports = try ports.map { try PublishedPort($0) }
      return try change(name, in: store, ports) { request, port in
        let port = try request.publish(port)
        if let notice = port.exposureNotice { Output.note("qvm: \(notice)\n") }
        return port
      }
    case .rm:
      let words = try ports.map { try PublishedPortWord($0) }
      return try change(name, in: store, words) { try $0.unpublish($1) }
    }
  }

  /// Changes one port after the other, and prints each.
  private func change<Wanted>(
    _ name: InstanceName, in store: InstanceStore, _ all: [Wanted],
    _ change: (PortRequest, Wanted) throws -> PublishedPort
  ) throws -> ExitStatus {
    if all.isEmpty {
      throw UsageError.missingArgument(
        placeholder: "PORT", advice: "Such as 'qvm port \(name) \(action.rawValue) 8080:80'.")
    }
    let request = try PortRequest(name, in: store)
    var status = ExitStatus.done
    var changed: [PublishedPort] = []
    for wanted in all {
      do {
        let port = try change(request, wanted)
        changed.append(port)
        if !isJSON { try Output.print("\(port.text)\n") }
      } catch let failure as any UserFacingError {
        if failure is OutputError { throw failure }
        Output.report(failure)
        status = failure.exitStatus
      }
    }
    if isJSON { try print(name.text, changed) }
    return status
  }

  private func show(_ status: VMStatus) throws -> ExitStatus {
    if isJSON {
      try print(status.name, status.ports)
    } else {
      try Output.show(status.ports.map { "\($0.text)\n" }.joined())
    }
    return .done
  }

  private func print(_ name: String, _ ports: [PublishedPort]) throws(OutputError) {
    try Output.print(["schema": 1, "name": .string(name), "ports": ports.json])
  }
}

extension PublishedPort {
  /// What the user should know about a port that is open on all interfaces; nil for another one.
  var exposureNotice: String? {
    guard isExposed else { return nil }
    return "other machines can reach port \(guestPort) of the guest through this one, port \(port)"
      + "\(transport == .udp ? " (UDP)" : ""). Without '0.0.0.0:' only this machine can"
  }
}
