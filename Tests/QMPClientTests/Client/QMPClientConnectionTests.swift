import Testing
import TestSupport

@testable import QMPClient

@Suite(.timeLimit(.minutes(1))) struct QMPClientConnectionTests {
  private let loop: EventLoop

  init() throws { loop = try #require(EventLoop.shared) }

  @Test func `connecting waits for the greeting and negotiates`() async throws {
    let server = try QMPScriptedServer { peer throws in
      try peer.negotiate()
      #expect(try peer.receiveLine() == nil)
    }
    try await QMPClient.withConnection(over: server.transport) { client async throws in
      #expect(await client.greeting?.version.description == "7.2.22")
      #expect(await !client.isOutOfBandEnabled)
      #expect(await client.ending == nil)
    }
    try await server.finish()
  }

  @Test func `a greeting that comes byte by byte, after an event, is understood`() async throws {
    let server = try QMPScriptedServer { peer throws in
      try peer.report("VSERPORT_CHANGE")
      for byte in (QMPPeer.greeting + "\r\n").utf8 { try peer.send([byte]) }
      try peer.expect("qmp_capabilities")
    }
    try await QMPClient.withConnection(over: server.transport) { _ in }
    try await server.finish()
  }

  @Test func `without a greeting the deadline says that the monitor is busy`() async throws {
    let server = try QMPScriptedServer { peer in try peer.receiveUntilEnd() }
    await #expect(throws: QMPError.noGreeting(seconds: 0.05)) {
      try await QMPClient.connect(
        over: server.transport, on: loop, timeout: .milliseconds(50))
    }
    try await server.finish()
  }

  @Test func `an unanswered negotiation ends by the same deadline`() async throws {
    let server = try QMPScriptedServer { peer throws in
      try peer.send(QMPPeer.greeting)
      try peer.receiveUntilEnd()
    }
    let error = await #expect(throws: QMPError.self) {
      try await QMPClient.connect(over: server.transport, on: loop, timeout: .milliseconds(50))
    }
    guard case .timedOut(command: "qmp_capabilities", _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    try await server.finish()
  }

  @Test func `QEMU hanging up before the greeting is reported at once`() async throws {
    let server = try QMPScriptedServer { _ in }
    await #expect(throws: QMPError.disconnected(command: nil)) {
      try await QMPClient.connect(over: server.transport, on: loop, timeout: .seconds(3600))
    }
    try await server.finish()
  }

  @Test func `something else than QMP in place of the greeting is reported at once`() async throws {
    let server = try QMPScriptedServer { peer throws in
      try peer.send("SSH-2.0-OpenSSH_9.6")
      try peer.receiveUntilEnd()
    }
    await #expect(throws: QMPError.notQMP(line: "SSH-2.0-OpenSSH_9.6")) {
      try await QMPClient.connect(over: server.transport, on: loop, timeout: .seconds(3600))
    }
    try await server.finish()
  }

  @Test func `a refused negotiation is QEMU's error`() async throws {
    let server = try QMPScriptedServer { peer throws in
      try peer.send(QMPPeer.greeting)
      let command = try peer.receive("qmp_capabilities")
      try peer.send(
        #"{"id": \#(command.id), "error": {"class": "CommandNotFound", "desc": "no"}}"#)
      try peer.receiveUntilEnd()
    }
    await #expect(
      throws: QMPError.refused(
        command: "qmp_capabilities", errorClass: "CommandNotFound", description: "no")
    ) {
      try await QMPClient.connect(over: server.transport, on: loop)
    }
    try await server.finish()
  }

  @Test(arguments: [true, false])
  func `cancellation ends the wait for the greeting at once`(isBefore: Bool) async throws {
    let server = try QMPScriptedServer { peer in try peer.receiveUntilEnd() }
    let loop = loop
    let task = Task {
      if isBefore { withUnsafeCurrentTask { $0?.cancel() } }
      _ = try await QMPClient.connect(over: server.transport, on: loop, timeout: .seconds(3600))
    }
    if !isBefore {
      await Task.yield()
      task.cancel()
    }
    await #expect(throws: QMPError.cancelled(command: "qmp_capabilities")) { try await task.value }
    try await server.finish()
  }

  @Test func `out-of-band execution is enabled where it is asked for and offered`() async throws {
    try await QMPScriptedServer.serve(
      { peer throws in
        let command = try peer.receive("migrate-pause")
        #expect(command.isOutOfBand)
        try peer.answer(command)
      }, outOfBand: true
    ) { client async throws in
      #expect(await client.isOutOfBandEnabled)
      try await client.execute("migrate-pause", outOfBand: true)
    }
  }

  @Test func `out-of-band execution is asked of QEMU by name, or not at all`() async throws {
    for offers in [true, false] {
      let server = try QMPScriptedServer { peer throws in
        let greeting =
          offers ? QMPPeer.greeting : QMPPeer.greeting.replacing(#"["oob"]"#, with: "[]")
        try peer.send(greeting)
        let command = try peer.receive("qmp_capabilities")
        #expect(command.arguments == (offers ? ["enable": ["oob"]] : [:]))
        try peer.answer(command)
        let next = try peer.receive("query-status")
        #expect(next.isOutOfBand == offers)
        try peer.answer(next)
      }
      let client = try await QMPClient.connect(over: server.transport, on: loop, outOfBand: true)
      try await client.execute("query-status", outOfBand: true)
      await client.close()
      try await server.finish()
    }
  }

  @Test func `the scope closes the connection when its body throws`() async throws {
    struct Failure: Error {}
    let server = try QMPScriptedServer { peer throws in
      try peer.negotiate()
      #expect(try peer.receiveLine() == nil)
    }
    await #expect(throws: Failure.self) {
      try await QMPClient.withConnection(over: server.transport) { _ in throw Failure() }
    }
    try await server.finish()
  }

  @Test func `a client that is let go of without being closed hangs up and ends its events`()
    async throws
  {
    let server = try QMPScriptedServer { peer throws in
      try peer.negotiate()
      #expect(try peer.receiveLine() == nil)
    }
    func subscribe() async throws -> QMPEvents {
      try await QMPClient.connect(over: server.transport, on: loop).events()
    }
    for await event in try await subscribe() { Issue.record("\(event)") }
    try await server.finish()
  }

  @Test func `connecting by path and by descriptor are the same`() async throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/monitor.sock"
    let listener = try SocketCalls.listen(path)
    let answered = Mailbox<Bool>()
    #expect(
      startThread {
        let deadline = SuspendingClock.now.advanced(by: .seconds(20))
        let isThere = SocketCalls.wait(listener.number, for: .read, until: deadline)
        let socket = isThere ? SocketCalls.accept(on: listener) : nil
        answered.send(socket.map { (try? QMPPeer($0).negotiate()) != nil } ?? false)
      })
    try await QMPClient.withConnection(path: path) { client async throws in
      #expect(await client.greeting?.version.major == 7)
    }
    #expect(await answered.next() == true)
  }
}
