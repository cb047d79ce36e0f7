import Testing
import TestSupport

@testable import QMPClient

@Suite(.timeLimit(.minutes(1))) struct QMPClientEndingTests {
  @Test(arguments: ["end of file", "ECONNRESET"])
  func `QEMU hanging up in the middle of a command is reported to every caller, once`(
    manner: String
  ) async throws {
    try await QMPScriptedServer.serve { peer throws in
      // Bytes that QEMU didn't read make the kernel reset the connection.
      try peer.awaitInput()
      if manner == "end of file" { for _ in 0..<4 { _ = try peer.receive() } }
    } _: { client async throws in
      let events = await client.events()
      let errors = await withTaskGroup(of: QMPError?.self) { group in
        for number in 0..<4 {
          group.addTask {
            do throws(QMPError) {
              try await client.execute("command-\(number)")
              return nil
            } catch { return error }
          }
        }
        return await group.reduce(into: Set<QMPError?>()) { $0.insert($1) }
      }
      #expect(errors == Set((0..<4).map { .disconnected(command: "command-\($0)") }))
      for await event in events { Issue.record("\(event)") }
      await #expect(throws: QMPError.disconnected(command: "stop")) {
        try await client.execute(Stop())
      }
      #expect(await client.ending == .disconnected(command: nil))
    }
  }

  private func failure(of client: QMPClient) async -> QMPError? {
    do throws(QMPError) {
      try await client.execute(Quit())
      return nil
    } catch { return error }
  }

  @Test func `quit may be answered, or not`() async throws {
    for answers in [true, false] {
      try await QMPScriptedServer.serve { peer throws in
        let command = try peer.receive("quit")
        try peer.send(
          #"{"event": "SHUTDOWN", "data": {"guest": false, "reason": "host-qmp-quit"}}"#)
        if answers { try peer.answer(command) }
      } _: { client async throws in
        let events = await client.events()
        let error = await failure(of: client)
        #expect(error == (answers ? nil : .disconnected(command: "quit")))
        var iterator = events.makeAsyncIterator()
        #expect(await iterator.next()?.data["reason"] == "host-qmp-quit")
        #expect(await iterator.next() == nil)
      }
    }
  }

  @Test func `closing gives every waiter the same answer, and is idempotent`() async throws {
    let received = Mailbox<Void>()
    try await QMPScriptedServer.serve { peer throws in
      _ = try peer.receive("query-block")
      received.send(())
      #expect(try peer.receiveLine() == nil)
    } _: { client async throws in
      let waiter = Task { try await client.execute("query-block") }
      _ = await received.next()
      await client.close()
      await client.close()
      await #expect(throws: QMPError.closed) { try await waiter.value }
      await #expect(throws: QMPError.closed) { try await client.execute(Stop()) }
      #expect(await client.ending == .closed)
    }
  }

  @Test func `garbage fails the connection and every waiter, with its beginning`() async throws {
    try await QMPScriptedServer.serve { peer throws in
      _ = try peer.receive("query-status")
      try peer.send("\u{1}\u{2}garbage")
      #expect(try peer.receiveLine() == nil)
    } _: { client async throws in
      await #expect(throws: QMPError.notQMP(line: "\u{1}\u{2}garbage")) {
        try await client.execute(QueryStatus())
      }
    }
  }

  @Test func `replies before the hang-up still count`() async throws {
    try await QMPScriptedServer.serve { peer throws in
      let first = try peer.receive("query-status")
      let second = try peer.receive("quit")
      try peer.answer(first, ["running": true, "status": "running"])
      try peer.answer(second)
    } _: { client async throws in
      async let status = client.execute(QueryStatus())
      async let quit = client.execute(Quit())
      #expect(try await status.running)
      _ = try await quit
    }
  }
}
