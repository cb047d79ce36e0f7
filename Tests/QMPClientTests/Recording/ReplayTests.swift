import QMPClient
import Testing
import TestSupport

@Suite(.timeLimit(.minutes(1))) struct ReplayTests {
  @Test(arguments: QMPFixtures.all, QMPReplay.Manner.allCases)
  func `every recorded conversation goes as it did, however its bytes are cut`(
    recorded: QMPFixtures.Recorded, manner: QMPReplay.Manner
  ) async throws {
    let host = try QMPReplayHost(recorded, manner)
    try await recorded.scenario.talk(host)
    try await host.finish()
  }

  @Test(arguments: QMPFixtures.versions)
  func `there is a transcript of every scenario, and none that no scenario has recorded`(
    version: String
  ) throws {
    let expected = QMPScenario.all.flatMap { scenario in
      (1...scenario.connections).map(scenario.file)
    }
    #expect(try Fixture.names(in: "QMP/\(version)") == expected.sorted())
  }

  @Test(arguments: QMPFixtures.all)
  func `every transcript says how it was recorded, and names no folder of its recorder`(
    recorded: QMPFixtures.Recorded
  ) throws {
    for transcript in try recorded.transcripts() {
      #expect(transcript.comments.contains { $0.contains("make record") })
      for (_, step) in transcript.steps {
        for folder in ["/tmp", "/home", "/root", "/var", "/Users", "/work"] {
          #expect(!step.line.contains(folder + "/"))
        }
      }
    }
  }

  // MARK: - Leaving the transcript

  private static let text = """
    # qmp transcript 1
    # written for this test
    <- \(QMPPeer.greeting)
    -> {"execute":"qmp_capabilities","id":1}
    <- {"return": {}, "id": 1}
    -> {"execute":"stop","id":2}
    <- {"event": "STOP"}
    <- {"return": {}, "id": 2}
    -> EOF

    """

  private func mismatch(
    _ body: (QMPClient) async throws -> Void
  ) async throws -> QMPReplay.Mismatch? {
    let replay = try QMPReplay(try Transcript(parsing: Self.text, name: "test.qmp"))
    try? await QMPClient.withConnection(path: replay.path, body)
    do { try await replay.finish() } catch let error as QMPReplay.Mismatch { return error }
    return nil
  }

  @Test func `the recorded conversation fits`() async throws {
    #expect(try await mismatch { try await $0.execute(Stop()) } == nil)
  }

  @Test func `an unexpected command fails with the file and the line`() async throws {
    let mismatch = try await mismatch { try await $0.execute(Cont()) }
    #expect(
      mismatch?.description
        == #"test.qmp:6: unexpected: -> {"execute":"cont","id":2}; expected: -> {"execute":"stop","id":2}"#
    )
  }

  @Test func `a missing command fails with the file and the line`() async throws {
    let mismatch = try await mismatch { _ in }
    #expect(mismatch?.description == #"test.qmp:6: missing: -> {"execute":"stop","id":2}"#)
  }

  @Test func `a command too many fails with the file and the line`() async throws {
    let mismatch = try await mismatch { client async throws in
      try await client.execute(Stop())
      try await client.execute(Stop())
    }
    #expect(mismatch?.place == "test.qmp:9")
  }
}
