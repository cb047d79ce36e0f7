/// Chooses the host's ports of a boot that are to be chosen, and says who has one that QEMU could not take.
struct PublishedPortChoice {
  /// How often a chosen port may turn out to be taken.
  private static let attempts = 20

  private let plan: LaunchPlan
  private var refusals = 0

  init(_ plan: LaunchPlan) { self.plan = plan }

  private var store: InstanceStore { InstanceStore(Cache(path: plan.cache)) }

  /// The ports to publish, each with a port of the host.
  ///
  /// - Parameter sshPort: The port for ssh, which is none of them.
  /// - Returns: The ports, in the order of the plan.
  /// - Throws: ``PortError`` if the host does not let QEMU have one.
  func ports(besides sshPort: Int?) throws -> [PublishedPort] {
    for port in plan.published { try port.checkFree(for: plan.name, in: store) }
    var taken = plan.published.filter { $0.port != 0 }
    var ports: [PublishedPort] = []
    for port in plan.published {
      let port = try port.chosen(besides: taken, ssh: sshPort)
      if port.isChosen { taken.append(port) }
      ports.append(port)
    }
    return ports
  }

  /// Notes that QEMU could not take a port that had seemed free.
  ///
  /// - Throws: `taken` if the user named it; `error` if too many were refused.
  mutating func refuse(_ port: PublishedPort, because error: StartError) throws {
    guard port.isChosen else { throw port.taken(for: plan.name, in: store) }
    refusals += 1
    if refusals >= Self.attempts { throw error }
  }
}
