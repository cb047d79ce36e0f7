/// A port that cannot be published, or that is not.
package enum PortError: UserFacingError, Hashable {
  /// `by` is the VM that uses it, if it is one.
  case taken(PublishedPort, by: PortHolder?)
  /// This user may not listen on ports of low numbers.
  case notPermitted(PublishedPort)
  case noSuchAddress(String)
  case noFreePort(address: String)
  /// The instance publishes it already, or has it for ssh.
  case isOwn(PublishedPort, name: String, isSSH: Bool)
  /// The instance publishes no such port.
  case notPublished(String, name: String)
  /// A word that may mean several of its ports.
  case ambiguous(String, [PublishedPort])
  /// The VM can publish nothing now; `why` is what it does instead.
  case notNow(name: String, why: String)
  /// QEMU's words.
  case refused(PublishedPort, why: String)
  /// Its supervisor was started by a qvm that could not do this.
  case olderSupervisor(name: String)

  package var message: String {
    switch self {
    case .taken(let port, let holder):
      "port \(port.port)\(Self.kind(port)) of \(port.address) is taken by \(holder?.text ?? "another program")"
    case .notPermitted(let port):
      "this user may not listen on port \(port.port)\(Self.kind(port)) of \(port.address)"
    case .noSuchAddress(let address): "this machine has no address \(address)"
    case .noFreePort(let address): "there is no free port on \(address)"
    case .isOwn(let port, let name, isSSH: true):
      "port \(port.port) of \(port.address) leads to the ssh server of '\(name)'"
    case .isOwn(let port, let name, isSSH: false):
      "'\(name)' publishes port \(port.port)\(Self.kind(port)) of \(port.address) already"
    case .notPublished(let word, let name): "'\(name)' publishes no port '\(word)'"
    case .ambiguous(let word, let ports):
      "'\(word)' may be \(ports.map(\.text).joined(separator: " or "))"
    case .notNow(let name, let why): "cannot change the ports of '\(name)': \(why)"
    case .refused(let port, let why): "QEMU refused \(port.hostText): \(why)"
    case .olderSupervisor(let name):
      "'\(name)' was booted by an older qvm, which cannot change the ports of a running VM"
    }
  }

  private static func kind(_ port: PublishedPort) -> String {
    port.transport == .udp ? "/udp" : ""
  }

  package var advice: String? {
    switch self {
    case .taken(let port, _): "Choose another one, or 0:\(port.guestPort) to get a free port."
    case .notPermitted(let port):
      "Use a port from 1024 on, such as \(port.guestPort + 8000 < 65536 ? port.guestPort + 8000 : 8080):\(port.guestPort)."
    case .noSuchAddress:
      "Name one of its own, 127.0.0.1 for this machine alone, or 0.0.0.0 for all."
    case .noFreePort: nil
    case .isOwn(let port, _, isSSH: true):
      "Choose another one, or 0:\(port.guestPort) to get a free port."
    case .isOwn(let port, let name, isSSH: false):
      "Choose another one, or remove it first: 'qvm port \(name) rm \(port.hostText)'."
    case .notPublished(_, let name): "'qvm port \(name)' lists its ports."
    case .ambiguous(_, let ports): "Add the address: '\(ports.first?.hostText ?? "")'."
    case .notNow(let name, _): "'qvm status \(name)' shows its state."
    case .refused: nil
    case .olderSupervisor(let name): "Shut it down with 'qvm stop \(name)', and boot it again."
    }
  }
}

extension PublishedPort {
  /// Makes sure that QEMU could listen at the port now. Of a port that is chosen later only the address
  /// is checked.
  ///
  /// - Parameters:
  ///   - own: The instance that publishes it.
  ///   - store: The instances of the cache that is used, one of which may have the port.
  /// - Throws: `taken`, `notPermitted`, `noSuchAddress`.
  func checkFree(for own: String, in store: InstanceStore) throws(PortError) {
    switch NetworkPort.availability(port, on: address, transport) {
    case .free: break
    case .notPermitted: throw .notPermitted(self)
    case .noSuchAddress: throw .noSuchAddress(address)
    case .taken: throw taken(for: own, in: store)
    }
  }

  /// The error for a port that another program has.
  func taken(for own: String, in store: InstanceStore) -> PortError {
    .taken(self, by: PortHolder(of: port, transport, but: own, in: store))
  }

  /// The same with the host's port, if that is to be chosen.
  ///
  /// - Parameters:
  ///   - taken: The ports that are not to be chosen, although they are free now.
  ///   - ssh: The port for ssh, which is not to be chosen either.
  /// - Returns: The port.
  /// - Throws: `noFreePort`.
  func chosen(besides taken: [PublishedPort], ssh: Int?) throws(PortError) -> PublishedPort {
    guard port == 0 else { return self }
    var copy = self
    copy.isChosen = true
    // The kernel seldom gives the same port twice.
    for _ in 0..<Self.choices {
      guard let free = NetworkPort.free(on: address, transport) else { break }
      copy.port = free
      if free != ssh, !taken.contains(where: copy.collides) { return copy }
    }
    throw .noFreePort(address: address)
  }

  private static let choices = 50
}
