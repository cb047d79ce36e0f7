package import QMPClient

/// What a scenario may do beside talking to QEMU: done for real when recording, nothing in a replay.
package protocol QMPScenarioHost: Sendable {
  /// How long to wait for a greeting that is not expected to come.
  var timeout: Duration { get }
  /// A further connection to a monitor of the virtual machine, before its negotiation.
  func transport(to monitor: String) async throws -> any QMPTransport
  /// Waits until the guest has said something on its console.
  func awaitConsole(_ text: String) async throws
  /// Sends QEMU the signal SIGTERM.
  func terminate() async throws
  /// Makes room on the disk that is full.
  func makeRoom() async throws
}

/// A conversation with QEMU that is recorded from a real one and replayed by the tests: the same
/// code talks to both.
package struct QMPScenario: Sendable, CustomStringConvertible {
  /// What did not go as the scenario expects.
  package struct Failure: Error, CustomStringConvertible {
    package let description: String
  }

  /// Of the transcripts: `<name>.qmp`, or `<name>.1.qmp` and so on for several connections.
  package let name: String
  /// What it shows, for people.
  package let summary: String
  /// The guest, one of `Fixtures/Guests`.
  package let guest: String
  /// The monitors of the virtual machine.
  package let monitors: [String]
  /// Further arguments of QEMU.
  package let arguments: [String]
  /// Whether the guest's disk lies on a file system with little room.
  package let hasSmallDisk: Bool
  /// How many connections are made.
  package let connections: Int
  /// The conversation.
  package let talk: @Sendable (any QMPScenarioHost) async throws -> Void

  package var description: String { name }

  package init(
    _ name: String, _ summary: String, guest: String, monitors: [String] = ["monitor"],
    arguments: [String] = [], hasSmallDisk: Bool = false, connections: Int = 1,
    talk: @escaping @Sendable (any QMPScenarioHost) async throws -> Void
  ) {
    self.name = name
    self.summary = summary
    self.guest = guest
    self.monitors = monitors
    self.arguments = arguments
    self.hasSmallDisk = hasSmallDisk
    self.connections = connections
    self.talk = talk
  }

  /// The name of the transcript of a connection, from 1.
  package func file(_ connection: Int) -> String {
    connections == 1 ? "\(name).qmp" : "\(name).\(connection).qmp"
  }
}

/// One connection of a scenario, with its events.
package struct QMPConversation: Sendable {
  package let client: QMPClient
  private let events: QMPEvents

  /// Connects, and listens to the events from the first on.
  package static func open(
    _ host: any QMPScenarioHost, _ monitor: String = "monitor", outOfBand: Bool = false
  ) async throws -> QMPConversation {
    guard let loop = EventLoop.shared else { throw QMPError.closed }
    let client = try await QMPClient.connect(
      over: try await host.transport(to: monitor), on: loop, timeout: .seconds(20),
      outOfBand: outOfBand)
    return QMPConversation(client: client, events: await client.events())
  }

  /// Waits for the next event of a name; others are passed over.
  @discardableResult
  package func event(_ name: String) async throws -> QMPEvent {
    for await event in events where event.name == name { return event }
    throw QMPScenario.Failure(description: "QEMU hung up before the event \(name)")
  }

  /// Waits until each of some events has come, in any order.
  ///
  /// - Returns: The events that came meanwhile.
  package func each(_ names: String...) async throws -> [QMPEvent] {
    var missing = Set(names)
    var seen: [QMPEvent] = []
    for await event in events {
      seen.append(event)
      missing.remove(event.name)
      if missing.isEmpty { return seen }
    }
    throw QMPScenario.Failure(description: "QEMU hung up before the events \(missing.sorted())")
  }

  /// Waits until QEMU hangs up.
  ///
  /// - Returns: The events that came before.
  @discardableResult
  package func end() async -> [QMPEvent] {
    var rest: [QMPEvent] = []
    for await event in events { rest.append(event) }
    return rest
  }

  /// The run state.
  package func status() async throws -> RunState {
    try await client.execute(QueryStatus(), timeout: .seconds(20)).status
  }

  /// Sends `quit` and waits for the end: with a reply or without.
  package func quit() async throws {
    do throws(QMPError) { try await client.execute(Quit(), timeout: .seconds(20)) } catch {
      try expect(error == .disconnected(command: "quit"), "quit: \(error)")
    }
    let reason = try await event("SHUTDOWN").shutdown?.reason
    try expect(reason == .hostQMPQuit, "SHUTDOWN for \(String(describing: reason))")
    await end()
  }
}

/// Throws where a condition doesn't hold.
func expect(_ condition: Bool, _ description: @autoclosure () -> String) throws {
  if !condition { throw QMPScenario.Failure(description: description()) }
}
