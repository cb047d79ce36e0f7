extension QMPClient {
  // MARK: - Owned

  /// Connects, waits for the greeting and negotiates; the caller must ``close()``.
  ///
  /// - Parameters:
  ///   - transport: A transport that was not started yet.
  ///   - loop: The loop that reads it. A caller on the same loop avoids thread switches.
  ///   - timeout: The time for greeting and negotiation together.
  ///   - outOfBand: Whether to enable out-of-band execution if QEMU offers it.
  /// - Returns: A client that is ready for commands.
  /// - Throws: `noGreeting` if another client holds the monitor or QEMU is stopped.
  public static func connect(
    over transport: any QMPTransport, on loop: EventLoop, timeout: Duration = .seconds(5),
    outOfBand: Bool = false
  ) async throws(QMPError) -> QMPClient {
    let client = QMPClient(over: transport, on: loop)
    do throws(QMPError) {
      try await client.negotiate(within: timeout, outOfBand: outOfBand)
    } catch {
      await client.close()
      throw error
    }
    return client
  }

  /// Connects to a monitor that listens at a path; the caller must ``close()``.
  ///
  /// - Parameters:
  ///   - path: The monitor's socket.
  ///   - loop: The loop that reads it; ``EventLoop/shared`` if nil.
  ///   - timeout: The time for greeting and negotiation together.
  ///   - outOfBand: Whether to enable out-of-band execution if QEMU offers it.
  /// - Returns: A client that is ready for commands.
  /// - Throws: `socketPathTooLong`, `cannotConnect`; `noGreeting` if another client holds the
  ///   monitor or QEMU is stopped.
  public static func connect(
    path: String, on loop: EventLoop? = nil, timeout: Duration = .seconds(5),
    outOfBand: Bool = false
  ) async throws(QMPError) -> QMPClient {
    try await connect(
      over: try SocketTransport(path: path), on: try running(loop), timeout: timeout,
      outOfBand: outOfBand)
  }

  private static func running(_ loop: EventLoop?) throws(QMPError) -> EventLoop {
    guard let loop = loop ?? EventLoop.shared else { throw .transport(.noThread) }
    return loop
  }

  private func negotiate(within timeout: Duration, outOfBand: Bool) async throws(QMPError) {
    let deadline = SuspendingClock.now.advanced(by: timeout)
    transport.start(on: loop) { [weak self] input in
      self?.assumeIsolated { $0.receive(input) }
    }
    let greeting = try await awaitGreeting(
      until: deadline, otherwise: .noGreeting(seconds: timeout.inSeconds))
    let enables = outOfBand && greeting.capabilities.contains("oob")
    let left = max(SuspendingClock.now.duration(to: deadline), .milliseconds(1))
    try await execute(QMPCapabilities(enable: enables ? ["oob"] : []), timeout: left)
    session.isOutOfBandEnabled = enables
  }

  // MARK: - Scoped

  /// Connects, passes the client to a body and closes it when the body returns or throws.
  ///
  /// - Parameters:
  ///   - transport: A transport that was not started yet.
  ///   - loop: The loop that reads it; ``EventLoop/shared`` if nil.
  ///   - timeout: The time for greeting and negotiation together.
  ///   - body: What to do with the connection.
  /// - Returns: What the body returns.
  /// - Throws: ``QMPError`` if the connection fails; else what the body throws.
  @discardableResult
  public static func withConnection<Value: Sendable>(
    over transport: any QMPTransport, on loop: EventLoop? = nil, timeout: Duration = .seconds(5),
    _ body: (QMPClient) async throws -> Value
  ) async throws -> Value {
    let client = try await connect(over: transport, on: try running(loop), timeout: timeout)
    do {
      let value = try await body(client)
      await client.close()
      return value
    } catch {
      await client.close()
      throw error
    }
  }

  /// Connects to a monitor that listens at a path, passes the client to a body and closes it when
  /// the body returns or throws.
  ///
  /// - Parameters:
  ///   - path: The monitor's socket.
  ///   - loop: The loop that reads it; ``EventLoop/shared`` if nil.
  ///   - timeout: The time for greeting and negotiation together.
  ///   - body: What to do with the connection.
  /// - Returns: What the body returns.
  /// - Throws: ``QMPError`` if the connection fails; else what the body throws.
  @discardableResult
  public static func withConnection<Value: Sendable>(
    path: String, on loop: EventLoop? = nil, timeout: Duration = .seconds(5),
    _ body: (QMPClient) async throws -> Value
  ) async throws -> Value {
    try await withConnection(
      over: try SocketTransport(path: path), on: loop, timeout: timeout, body)
  }

  /// Takes over a connected socket, such as one end of a `socketpair`, passes the client to a body
  /// and closes it when the body returns or throws.
  ///
  /// - Parameters:
  ///   - descriptor: The socket; it is closed at the end.
  ///   - loop: The loop that reads it; ``EventLoop/shared`` if nil.
  ///   - timeout: The time for greeting and negotiation together.
  ///   - body: What to do with the connection.
  /// - Returns: What the body returns.
  /// - Throws: ``QMPError`` if the connection fails; else what the body throws.
  @discardableResult
  public static func withConnection<Value: Sendable>(
    descriptor: Int32, on loop: EventLoop? = nil, timeout: Duration = .seconds(5),
    _ body: (QMPClient) async throws -> Value
  ) async throws -> Value {
    try await withConnection(
      over: SocketTransport(owning: descriptor), on: loop, timeout: timeout, body)
  }
}
