internal import QMPClient

/// Ports that are published, or no longer, while the VM runs.
///
/// QEMU forgets none of them when the guest is reset or a monitor is lost. A port is on record before QEMU
/// listens and until it no longer does, so that none is open without being listed if this process is
/// killed in between.
extension Supervisor {
  /// How often a chosen port may turn out to be taken.
  private static let choices = 5

  func publish(_ port: PublishedPort, for id: ControlServer.ClientID) {
    startTask { supervisor in
      supervisor.answer("publish", to: id, await supervisor.publish(port))
    }
  }

  func unpublish(_ port: PublishedPort, for id: ControlServer.ClientID) {
    startTask { supervisor in
      supervisor.answer("publish", to: id, await supervisor.unpublish(port))
    }
  }

  private func answer(
    _ member: String, to id: ControlServer.ClientID,
    _ result: Result<PublishedPort, any Error>
  ) {
    let answer: JSONValue =
      switch result {
      case .success(let port): port.json
      case .failure(let error): PortRefusal(error).json
      }
    clients.send(.object([member: answer]), to: id)
    clients.done(id)
  }

  /// The monitor, and the id of the network in which ports are published.
  private func network() throws -> (client: QMPClient, id: String) {
    let name = instance.name.text
    guard clients.isAnnounced, shutdown.ladder.rung == nil else {
      throw PortError.notNow(name: name, why: "it is \(clients.phase.rawValue)")
    }
    guard let client = monitor.client else {
      throw PortError.notNow(name: name, why: "QEMU does not answer its monitor")
    }
    let command = QEMUArguments(instance.boot.command)
    guard let id = command.userNetworkID else {
      throw RunOptionError.noUserNetwork(program: command.program)
    }
    return (client, id)
  }

  private func publish(_ wanted: PublishedPort) async -> Result<PublishedPort, any Error> {
    do {
      var attempt = 0
      while true {
        attempt += 1
        // What follows up to the record is done in one go, so that no other client gets the same port.
        let (client, network) = try network()
        let port = try available(wanted)
        try instance.note(published: instance.boot.published + [port])
        let answer = try await client.execute(
          HumanMonitorCommand("hostfwd_add \(network) \(port.rule)"),
          timeout: MonitorLink.answerTimeout
        ).output
        if answer.isEmpty {
          try instance.editPublished { $0.keep(port) }
          return .success(port)
        }
        try? instance.note(published: instance.boot.published.filter { $0 != port })
        if port.isChosen, attempt < Self.choices { continue }
        try port.checkFree(for: instance.name.text, in: instance.store)
        throw PortError.refused(port, why: ForeignText.line(answer))
      }
    } catch {
      return .failure(error)
    }
  }

  /// The port, with one of the host's if that is to be chosen.
  private func available(_ wanted: PublishedPort) throws -> PublishedPort {
    let boot = instance.boot
    let name = instance.name.text
    let ssh = boot.sshPort.map { PublishedPort(.tcp, boot.sshAddress ?? "0.0.0.0", $0, to: 22) }
    if let ssh, wanted.collides(with: ssh) {
      throw PortError.isOwn(wanted, name: name, isSSH: true)
    }
    if boot.published.contains(where: wanted.collides) {
      throw PortError.isOwn(wanted, name: name, isSSH: false)
    }
    try wanted.checkFree(for: name, in: instance.store)
    return try wanted.chosen(besides: boot.published, ssh: boot.sshPort)
  }

  private func unpublish(_ port: PublishedPort) async -> Result<PublishedPort, any Error> {
    do {
      let (client, network) = try network()
      let answer = try await client.execute(
        HumanMonitorCommand("hostfwd_remove \(network) \(port.hostRule)"),
        timeout: MonitorLink.answerTimeout
      ).output
      // QEMU has a text for success, too. A forward that it does not know is gone all the same.
      guard answer.contains("removed") || answer.contains("not found") else {
        throw PortError.refused(port, why: ForeignText.line(answer))
      }
      try instance.note(published: instance.boot.published.filter { $0 != port })
      try instance.editPublished { $0.forget(port) }
      return .success(port)
    } catch {
      return .failure(error)
    }
  }
}
