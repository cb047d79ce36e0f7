/// The VM that forwards a port of this host to its guest.
package struct PortHolder: Sendable, Hashable {
  package let name: String
  /// The cache of its instance; nil for this command's cache.
  package let cache: String?

  package init(name: String, cache: String? = nil) {
    self.name = name
    self.cache = cache
  }

  /// Describes it for people.
  package var text: String {
    "the instance '\(name)'" + (cache.map { " of the cache \(ForeignText.line($0))" } ?? "")
  }

  /// Finds the instance in a QEMU's command line; nil if qvm hasn't spawned that QEMU.
  package init?(command: [String]) {
    guard let place = command.firstIndex(of: "-pidfile"), place + 1 < command.count else {
      return nil
    }
    // <cache>/instances/<name>/qemu-<boot>.pid
    let folder = Files.parent(of: command[place + 1])
    let instances = Files.parent(of: folder)
    guard Files.lastName(of: instances) == "instances",
      let name = try? InstanceName(String(Files.lastName(of: folder)))
    else { return nil }
    self.init(name: name.text, cache: Files.parent(of: instances))
  }

  /// Finds the VM that has a port; nil if no VM of qvm's is known to have it.
  ///
  /// - Parameters:
  ///   - port: The port.
  ///   - transport: What the port is of.
  ///   - own: The instance that wants it.
  ///   - store: The instances of the cache that is used.
  package init?(
    of port: Int, _ transport: NetworkPort.Transport = .tcp, but own: String,
    in store: InstanceStore
  ) {
    if let name = store.holder(ofPort: port, transport, but: own) {
      self.init(name: name.text)
    } else {
      guard let command = NetworkPort.listener(on: port, transport) else { return nil }
      self.init(command: command)
    }
  }
}
