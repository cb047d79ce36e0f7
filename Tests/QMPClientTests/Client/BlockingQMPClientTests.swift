import QMPClient
import Testing
import TestSupport

/// The probe blocks, so each test runs it on a thread of its own.
@Suite(.timeLimit(.minutes(1))) struct BlockingQMPClientTests {
  /// What a probe of a monitor at a path comes to.
  private func probe<Value: Sendable>(
    _ path: String, _ timeout: Duration = .seconds(20),
    _ body: @escaping @Sendable (BlockingQMPClient) throws -> Value
  ) async throws -> Value {
    let outcome = Mailbox<Result<Value, any Error>>()
    let started = startThread {
      outcome.send(Result { try body(try BlockingQMPClient(path: path, timeout: timeout)) })
    }
    #expect(started)
    return try #require(await outcome.next()).get()
  }

  @Test(arguments: QMPFixtures.versions, QMPReplay.Manner.allCases)
  func `a probe asks the questions of a transcript`(
    version: String, manner: QMPReplay.Manner
  ) async throws {
    let replay = try QMPReplay(try QMPFixtures.transcript("\(version)/stop-cont.qmp"), manner)
    let states = try await probe(replay.path) { probe throws in
      #expect(probe.greeting?.version.description.hasPrefix(version) == true)
      try probe.execute(Cont())
      try probe.execute(Stop())
      var states = [try probe.execute(QueryStatus()).status]
      try probe.execute(Stop())
      try probe.execute(Cont())
      try probe.execute(Cont())
      states.append(try probe.execute(QueryStatus()).status)
      try probe.execute(Quit())
      return states
    }
    #expect(states == [.paused, .running])
    try await replay.finish()
  }

  /// Serves a script at a path for as long as the body runs.
  private func served(
    _ script: @escaping @Sendable (QMPPeer) throws -> Void, _ body: (String) async throws -> Void
  ) async throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/monitor.sock"
    let listener = try SocketCalls.listen(path)
    #expect(
      startThread {
        let deadline = SuspendingClock.now.advanced(by: .seconds(20))
        guard SocketCalls.wait(listener.number, for: .read, until: deadline),
          let socket = SocketCalls.accept(on: listener)
        else { return }
        try? script(QMPPeer(socket))
      })
    try await body(path)
  }

  @Test func `a busy monitor costs a probe its deadline, and says so`() async throws {
    try await served {
      try $0.receiveUntilEnd()
    } _: { path async throws in
      await #expect(throws: QMPError.noGreeting(seconds: 0.05)) {
        try await probe(path, .milliseconds(50)) { _ in }
      }
    }
  }

  @Test func `a QEMU that stops in the middle costs a probe its deadline`() async throws {
    try await served { peer throws in
      try peer.negotiate()
      try peer.receiveUntilEnd()
    } _: { path async throws in
      await #expect(throws: QMPError.timedOut(command: "query-status", seconds: 0.2)) {
        try await probe(path, .milliseconds(200)) { _ = try $0.execute(QueryStatus()) }
      }
    }
  }

  @Test func `a QEMU that hangs up in the middle is reported with the command`() async throws {
    try await served { peer throws in
      try peer.negotiate()
      _ = try peer.receive("query-status")
      peer.hangUp()
    } _: { path async throws in
      await #expect(throws: QMPError.disconnected(command: "query-status")) {
        try await probe(path) { _ = try $0.execute(QueryStatus()) }
      }
    }
  }

  @Test func `a refusal carries QEMU's own words`() async throws {
    try await served { peer throws in
      try peer.negotiate()
      let command = try peer.receive("cont")
      try peer.report("STOP")
      try peer.send(#"{"id": \#(command.id), "error": {"class": "GenericError", "desc": "no"}}"#)
      try peer.receiveUntilEnd()
    } _: { path async throws in
      await #expect(
        throws: QMPError.refused(command: "cont", errorClass: "GenericError", description: "no")
      ) { try await probe(path) { _ = try $0.execute(Cont()) } }
    }
  }

  @Test func `a missing socket is an error at once`() async throws {
    await #expect {
      try await probe("/nowhere/monitor.sock") { _ in }
    } throws: { error in
      guard case .cannotConnect("/nowhere/monitor.sock", let reason) = error as? QMPError else {
        return false
      }
      return reason.isAbsent
    }
  }
}
