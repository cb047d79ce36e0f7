internal import QMPClient

/// A connection to QEMU's second monitor, after the first was lost.
struct MonitorFailover: Sendable {
  /// How long the second monitor may take to answer. It answers at once, or another client is
  /// connected to it.
  private static let timeout = Duration.seconds(2)
  /// A QEMU that hangs up more often than this is ended by signals, if it is to end.
  static let most = 3

  let client: QMPClient
  let events: QMPEvents

  /// Connects to the second monitor.
  ///
  /// - Parameters:
  ///   - runtime: Where its socket is.
  ///   - loop: The loop that reads it.
  /// - Returns: The connection.
  /// - Throws: What ``QMPClient`` throws if it is unavailable.
  static func connect(
    in runtime: RuntimeFolder, on loop: EventLoop
  ) async throws(QMPError) -> MonitorFailover {
    let client = try await QMPClient.connect(
      over: SocketTransport(try runtime.connectToMonitor()), on: loop, timeout: timeout)
    return MonitorFailover(client: client, events: await client.events())
  }
}
