package import QMPClient

/// The recorded transcripts of `Fixtures/QMP`.
package enum QMPFixtures {
  /// The versions of QEMU that there are transcripts of.
  package static let versions = ["7.2", "10.0", "11.1"]

  /// A scenario as it was recorded from one version of QEMU.
  package struct Recorded: Sendable, CustomStringConvertible {
    package let version: String
    package let scenario: QMPScenario
    package var description: String { "\(version)/\(scenario.name)" }

    /// The transcripts of its connections.
    package func transcripts() throws -> [Transcript] {
      try (1...scenario.connections).map { connection in
        try QMPFixtures.transcript("\(version)/\(scenario.file(connection))")
      }
    }
  }

  /// Every scenario of every version.
  package static let all = versions.flatMap { version in
    QMPScenario.all.map { Recorded(version: version, scenario: $0) }
  }

  /// A transcript by its path below `Fixtures/QMP`.
  package static func transcript(_ path: String) throws -> Transcript {
    try Transcript(parsing: try Fixture.text("QMP/\(path)"), name: path)
  }
}

/// What a scenario talks to in a replay; what it would do beside is in the transcripts already.
package actor QMPReplayHost: QMPScenarioHost {
  package nonisolated let timeout: Duration = .milliseconds(50)
  private var waiting: [QMPReplay]
  private let all: [QMPReplay]

  /// Has all connections of a scenario served.
  package init(_ recorded: QMPFixtures.Recorded, _ manner: QMPReplay.Manner) throws {
    all = try recorded.transcripts().map { try QMPReplay($0, manner) }
    waiting = all
  }

  package func transport(to monitor: String) throws -> any QMPTransport {
    guard !waiting.isEmpty else {
      throw QMPScenario.Failure(description: "one more connection than was recorded")
    }
    return try SocketTransport(path: waiting.removeFirst().path)
  }

  package func awaitConsole(_ text: String) {}
  package func terminate() {}
  package func makeRoom() {}

  /// Waits until all connections have ended.
  ///
  /// - Throws: Where one of them left its transcript.
  package func finish() async throws {
    for replay in all { try await replay.finish() }
  }
}
