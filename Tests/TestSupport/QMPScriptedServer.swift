package import QMPClient

/// A monitor that follows a script on a thread of its own, at the other end of a socket pair.
package struct QMPScriptedServer: Sendable {
  /// The client's end.
  package let transport: SocketTransport
  private let outcome: Mailbox<Result<Void, any Error>>

  /// Starts a script of what QEMU does, which may block; when it ends, the server hangs up.
  package init(_ script: @escaping @Sendable (QMPPeer) throws -> Void) throws {
    let (client, server) = try SocketCalls.pair()
    let peer = QMPPeer(server)
    let outcome = Mailbox<Result<Void, any Error>>()
    let started = startThread {
      let result = Result { try script(peer) }
      peer.hangUp()
      outcome.send(result)
      outcome.finish()
    }
    guard started else { throw SystemError(call: "pthread_create", code: 11) }
    transport = SocketTransport(client)
    self.outcome = outcome
  }

  /// Waits for the script's end.
  ///
  /// - Throws: What the script threw.
  package func finish() async throws { try await outcome.next()?.get() }

  /// Runs a script of what QEMU does after the negotiation, and what a client does that has been
  /// connected to it, and waits for both to end.
  package static func serve(
    _ script: @escaping @Sendable (QMPPeer) throws -> Void, outOfBand: Bool = false,
    _ body: (QMPClient) async throws -> Void
  ) async throws {
    let server = try QMPScriptedServer { peer in
      try peer.negotiate()
      try script(peer)
    }
    guard let loop = EventLoop.shared else { throw QMPError.closed }
    let client = try await QMPClient.connect(
      over: server.transport, on: loop, outOfBand: outOfBand)
    do { try await body(client) } catch {
      await client.close()
      throw error
    }
    await client.close()
    try await server.finish()
  }
}
