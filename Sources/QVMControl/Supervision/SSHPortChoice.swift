internal import QMPClient

/// Chooses the host's port from which the guest's ssh port is forwarded: the driver's, or the next one
/// that is free. A port that QEMU could not take is not chosen again.
struct SSHPortChoice {
  /// How many ports are tried, counted from the driver's.
  private static let portsTried = 200

  private let plan: LaunchPlan
  /// The ports that QEMU could not take, although they had seemed free.
  private var refused: Set<Int> = []

  init(_ plan: LaunchPlan) { self.plan = plan }

  /// Chooses the port of a command.
  ///
  /// - Parameter arguments: The command.
  /// - Returns: The command with the chosen port; unchanged if it forwards none.
  /// - Throws: ``StartError``: `noFreePort`; `portTaken` if the user named the port; `other` if the host
  ///   lacks the address.
  func applied(to arguments: QEMUArguments) throws -> QEMUArguments {
    guard let wanted = arguments.forwardedPort else { return arguments }
    let address = arguments.forwardedAddress ?? ""
    guard NetworkPort.isOwn(address) else {
      throw StartError.other(
        message: "this machine has no address \(address)",
        advice: "Name one of its own with --ssh-address, or leave the option out for all of them.")
    }
    let last = min(65_535, wanted + Self.portsTried)
    for port in wanted...last where !refused.contains(port) && !isPublished(port) {
      if NetworkPort.isFree(port, on: address) {
        return try arguments.settingForwardedPort(port)
      }
      if plan.isPortFixed { throw taken(address, wanted) }
    }
    throw StartError.noFreePort(address: address, from: wanted)
  }

  /// Notes that QEMU could not take a port.
  ///
  /// - Parameters:
  ///   - port: The port.
  ///   - arguments: The command that had it.
  ///   - error: How QEMU ended.
  /// - Throws: `portTaken` if the user named the port; `error` if too many were refused.
  mutating func refuse(_ port: Int, of arguments: QEMUArguments, because error: StartError) throws {
    if plan.isPortFixed { throw taken(arguments.forwardedAddress ?? "", port) }
    refused.insert(port)
    if refused.count >= Self.portsTried { throw error }
  }

  /// Whether a port that the user named for another purpose is this one. The user's own choice for ssh
  /// is not: the command line was checked for that.
  private func isPublished(_ port: Int) -> Bool {
    !plan.isPortFixed && plan.published.contains { ($0.port, $0.transport) == (port, .tcp) }
  }

  private func taken(_ address: String, _ port: Int) -> StartError {
    let store = InstanceStore(Cache(path: plan.cache))
    return .portTaken(
      address: address, port: port, by: PortHolder(of: port, but: plan.name, in: store))
  }
}
