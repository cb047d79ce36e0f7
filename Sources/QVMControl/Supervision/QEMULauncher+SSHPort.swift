internal import QMPClient

extension QEMULauncher {
  /// Takes the driver's port, or the next one that is free.
  func choosePort(
    _ arguments: QEMUArguments, excluding taken: Set<Int>
  ) throws -> QEMUArguments {
    guard let wanted = arguments.forwardedPort else { return arguments }
    let address = arguments.forwardedAddress ?? ""
    guard NetworkPort.isOwn(address) else {
      throw StartError.other(
        message: "this machine has no address \(address)",
        advice: "Name one of its own with --ssh-address, or leave the option out for all of them.")
    }
    let last = min(65_535, wanted + Self.portsTried)
    for port in wanted...last where !taken.contains(port) {
      if NetworkPort.isFree(port, on: address) {
        return try arguments.settingForwardedPort(port)
      }
      if plan.isPortFixed { throw portTaken(address, wanted) }
    }
    throw StartError.noFreePort(address: address, from: wanted)
  }

  func portTaken(_ address: String, _ port: Int) -> StartError {
    let store = InstanceStore(Cache(path: plan.cache))
    return .portTaken(
      address: address, port: port, by: PortHolder(of: port, but: plan.name, in: store))
  }
}
