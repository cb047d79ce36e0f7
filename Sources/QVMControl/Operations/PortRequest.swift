internal import QMPClient

/// Changes the published ports of an instance: those of its VM, if that runs, and those of its next boots.
/// An orphan gets a new supervisor first.
package struct PortRequest: Sendable {
  private static let doing = "change the ports of"
  /// How long a supervisor may take: QEMU answers at once, a start takes a few seconds.
  private static let timeout = Duration.seconds(20)

  private let name: InstanceName
  private let store: InstanceStore
  private let files: InstanceFiles

  /// - Throws: `noSuch`; ``FileError`` if the cache is another user's.
  package init(_ name: InstanceName, in store: InstanceStore) throws {
    self.name = name
    self.store = store
    files = try store.existing(name)
    try store.cache.requireOwn()
  }

  /// Publishes a port.
  ///
  /// - Returns: The port, with the host's that was chosen.
  /// - Throws: ``PortError``, ``PortRefusal``, ``InstanceError``, ``StopError``.
  package func publish(_ port: PublishedPort) throws -> PublishedPort {
    try change { supervisor in
      try ask(supervisor, .publish(port))
    } stopped: { record in
      if record.published.contains(where: port.collides) {
        throw PortError.isOwn(port, name: name.text, isSSH: false)
      }
      if port.transport == .tcp, port.port != 0, port.port == record.options["sshPort"]?.int {
        throw PortError.isOwn(port, name: name.text, isSSH: true)
      }
      if NetworkPort.availability(0, on: port.address, port.transport) == .noSuchAddress {
        throw PortError.noSuchAddress(port.address)
      }
      try InstanceRecord.editPublished(in: files.record) { $0.keep(port) }
      return port
    }
  }

  /// Publishes a port no longer. Connections through it stay until they end.
  ///
  /// - Returns: The port.
  /// - Throws: ``PortError``, ``PortRefusal``, ``InstanceError``, ``StopError``.
  package func unpublish(_ word: PublishedPortWord) throws -> PublishedPort {
    try change { supervisor in
      try ask(supervisor, .unpublish(try only(word, files.bootRecord?.published ?? [])))
    } stopped: { record in
      let port = try only(word, record.published.map(\.asChosenLater))
      try InstanceRecord.editPublished(in: files.record) { $0.forget(port) }
      return port
    }
  }

  /// The one port that a word means.
  private func only(
    _ word: PublishedPortWord, _ ports: [PublishedPort]
  ) throws(PortError) -> PublishedPort {
    let found = word.matches(in: ports)
    guard let port = found.first else { throw .notPublished(word.word, name: name.text) }
    // Ports that are chosen at each boot are alike if they lead to the same one.
    if found.count > 1, Set(found).count > 1 { throw .ambiguous(word.word, found) }
    return port
  }

  // MARK: - Who changes them

  /// Has the supervisor change the ports, or changes them in the record of an instance that doesn't run.
  private func change(
    running: (BlockingControlClient) throws -> PublishedPort,
    stopped: (InstanceRecord) throws -> PublishedPort
  ) throws -> PublishedPort {
    // It may start or end just now: then the other way is right.
    for _ in 0..<2 {
      if let supervisor = try SupervisorAccess.connect(to: name, files, in: store, force: false) {
        return try running(supervisor)
      }
      do {
        let locked = try store.lock(name, to: Self.doing)
        return try withExtendedLifetime(locked) { try stopped(locked.record) }
      } catch InstanceError.running {}
    }
    throw InstanceError.busy(name: name.text, doing: Self.doing)
  }

  private func ask(
    _ supervisor: BlockingControlClient, _ request: ControlRequest
  ) throws -> PublishedPort {
    let deadline = SuspendingClock.now.advanced(by: Self.timeout)
    do {
      try awaitRunning(supervisor, until: deadline)
      supervisor.send(request)
      while true {
        let line = try supervisor.line(until: deadline)
        if line["error"] != nil { throw PortError.olderSupervisor(name: name.text) }
        guard let answer = line["publish"] else { continue }
        if let port = PublishedPort.read(answer) { return port }
        throw PortRefusal(answer)
          ?? PortError.notNow(name: name.text, why: "its supervisor gave no sensible answer")
      }
    } catch is BlockingControlClient.Failure {
      throw StopError.unreachable(name: name.text, force: false)
    }
  }

  /// Waits until a VM that is being started, or an orphan that is being adopted, can be asked.
  private func awaitRunning(
    _ supervisor: BlockingControlClient, until deadline: SuspendingClock.Instant
  ) throws {
    supervisor.send(.subscribe)
    while true {
      switch try supervisor.event(until: deadline) {
      case .phase(.starting, _), .phase(.orphaned, _): continue
      case .phase, .running, .ended: return
      case .failed(let message, let advice, _):
        throw StartError.other(message: message, advice: advice)
      default: continue
      }
    }
  }
}

extension PublishedPort {
  /// A recorded port; one that is chosen at each boot counts as chosen.
  fileprivate var asChosenLater: PublishedPort {
    var copy = self
    copy.isChosen = port == 0
    return copy
  }
}
