import Testing
import TestSupport

@testable import QMPClient

@Suite(.timeLimit(.minutes(1))) struct QMPClientCommandTests {
  @Test func `a typed command gets its typed reply`() async throws {
    try await QMPScriptedServer.serve { peer throws in
      try peer.expect("query-status", ["running": true, "status": "running", "singlestep": false])
    } _: { client async throws in
      let reply = try await client.execute(QueryStatus())
      #expect(reply.running)
      #expect(reply.status == .running)
    }
  }

  @Test func `any command can be executed by its name with any arguments`() async throws {
    try await QMPScriptedServer.serve { peer throws in
      let command = try peer.receive("blockdev-add")
      #expect(
        command.arguments == [
          "driver": "null-co", "size": .integer(.max), "list": [1, ["a": .null]],
        ])
      try peer.answer(command, ["x": [.unsigned(.max)]])
    } _: { client async throws in
      let reply = try await client.execute(
        "blockdev-add", ["driver": "null-co", "size": .integer(.max), "list": [1, ["a": .null]]])
      #expect(reply == ["x": [.unsigned(.max)]])
    }
  }

  @Test func `a refusal carries QEMU's class, its description and the command`() async throws {
    try await QMPScriptedServer.serve { peer throws in
      let command = try peer.receive("cont")
      try peer.send(
        #"{"id": \#(command.id), "error": {"class": "GenericError", "desc": "Resetting the Virtual Machine is required"}}"#
      )
    } _: { client async throws in
      await #expect(
        throws: QMPError.refused(
          command: "cont", errorClass: "GenericError",
          description: "Resetting the Virtual Machine is required")
      ) { try await client.execute(Cont()) }
    }
  }

  @Test func `a reply of another shape names the member, and the connection lives on`() async throws
  {
    try await QMPScriptedServer.serve { peer throws in
      try peer.expect("query-status", ["running": true])
      try peer.expect("query-status", ["running": "yes", "status": "running"])
      try peer.expect("query-status", ["running": true, "status": "brand-new-state", "x": 1])
    } _: { client async throws in
      for path in ["status", "running"] {
        await #expect(throws: QMPError.unexpectedReply(command: "query-status", path: path)) {
          try await client.execute(QueryStatus())
        }
      }
      #expect(try await client.execute(QueryStatus()).status.rawValue == "brand-new-state")
    }
  }

  @Test func `many commands at the same time get their own replies, in any order`() async throws {
    let count = 200
    try await QMPScriptedServer.serve { peer throws in
      var commands: [QMPPeer.Command] = []
      for _ in 0..<count { commands.append(try peer.receive("echo")) }
      for command in commands.shuffled() {
        try peer.answer(command, command.arguments["number"] ?? .null)
      }
    } _: { client async throws in
      let right = try await withThrowingTaskGroup(of: Bool.self) { group in
        for number in 0..<count {
          group.addTask {
            try await client.execute("echo", ["number": .integer(Int64(number))]).int == number
          }
        }
        return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
      }
      #expect(right == count)
    }
  }

  @Test func `a reply of 207 KB on one line is read whole`() async throws {
    let text = String(repeating: "x", count: 207_000)
    try await QMPScriptedServer.serve { peer throws in
      try peer.expect("query-qmp-schema", [["name": .string(text)]])
    } _: { client async throws in
      #expect(try await client.execute("query-qmp-schema").array?.first?["name"]?.string == text)
    }
  }

  @Test func `a line over the cap fails the connection cleanly`() async throws {
    try await QMPScriptedServer.serve { peer throws in
      _ = try peer.receive("query-qmp-schema")
      let piece = [UInt8](repeating: 0x20, count: 1 << 20)
      while try peer.send(piece) {}
    } _: { client async throws in
      await #expect(throws: QMPError.lineTooLong(limit: QMPClient.longestLine)) {
        try await client.execute("query-qmp-schema")
      }
      #expect(await client.ending == .lineTooLong(limit: QMPClient.longestLine))
    }
  }

  // MARK: - Deadlines and cancellation

  @Test func `a late reply after a deadline is not given to the next command`() async throws {
    try await QMPScriptedServer.serve { peer throws in
      let late = try peer.receive("query-block")
      let next = try peer.receive("query-status")
      try peer.answer(late, ["running": false, "status": "paused"])
      try peer.answer(next, ["running": true, "status": "running"])
    } _: { client async throws in
      await #expect(throws: QMPError.timedOut(command: "query-block", seconds: 0.02)) {
        try await client.execute("query-block", timeout: .milliseconds(20))
      }
      #expect(try await client.execute(QueryStatus(), timeout: .seconds(20)).running)
    }
  }

  @Test func `a late reply after a cancellation is not given to the next command`() async throws {
    let received = Mailbox<Void>()
    try await QMPScriptedServer.serve { peer throws in
      let late = try peer.receive("query-block")
      received.send(())
      let next = try peer.receive("query-status")
      try peer.answer(late, ["running": false, "status": "paused"])
      try peer.answer(next, ["running": true, "status": "running"])
    } _: { client async throws in
      let task = Task { try await client.execute("query-block") }
      _ = await received.next()
      task.cancel()
      await #expect(throws: QMPError.cancelled(command: "query-block")) { try await task.value }
      #expect(try await client.execute(QueryStatus()).running)
    }
  }

  @Test func `a cancelled task sends nothing`() async throws {
    try await QMPScriptedServer.serve { peer throws in
      try peer.expect("query-status", ["running": true, "status": "running"])
    } _: { client async throws in
      let task = Task {
        withUnsafeCurrentTask { $0?.cancel() }
        try await client.execute(Quit())
      }
      await #expect(throws: QMPError.cancelled(command: "quit")) { try await task.value }
      try await client.execute(QueryStatus())
    }
  }

  @Test func `cancellation at any moment gives exactly one outcome`() async throws {
    let count = 500
    try await QMPScriptedServer.serve { peer throws in
      while let line = try peer.receiveLine() {
        let id = try JSONValue(parsing: line)["id"]?.int ?? 0
        if try !peer.send(Array(#"{"return": {}, "id": \#(id)}"#.utf8) + [0x0A]) { return }
      }
    } _: { client async throws in
      var outcomes = 0
      for number in 0..<count {
        let task = Task { try await client.execute("query-status") }
        for _ in 0..<(number % 7) { await Task.yield() }
        task.cancel()
        switch await task.result {
        case .success: outcomes += 1
        case .failure(let error):
          #expect(error as? QMPError == .cancelled(command: "query-status"))
          outcomes += 1
        }
      }
      #expect(outcomes == count)
      try await client.execute("query-status")
    }
  }

  @Test func `a stopped QEMU costs each caller its timeout, and answers when it continues`()
    async throws
  {
    let goOn = Mailbox<Void>()
    try await QMPScriptedServer.serve { peer throws in
      try peer.awaitInput()
      // Stopped, as by SIGSTOP: reads nothing until it is told to go on.
      while goOn.poll() == nil { try peer.awaitInput() }
      while let line = try peer.receiveLine() {
        let id = try JSONValue(parsing: line)["id"]?.int ?? 0
        try peer.send(
          #"{"return": {"running": true, "status": "running"}, "id": \#(id)}"#)
      }
    } _: { client async throws in
      for _ in 0..<3 {
        await #expect(throws: QMPError.timedOut(command: "query-status", seconds: 0.01)) {
          try await client.execute(QueryStatus(), timeout: .milliseconds(10))
        }
      }
      goOn.send(())
      #expect(try await client.execute(QueryStatus(), timeout: .seconds(20)).running)
    }
  }
}
