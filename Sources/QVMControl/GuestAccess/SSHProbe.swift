package import QMPClient

/// Checks for the guest's ssh server by its greeting, because QEMU's user network accepts a
/// connection long before the guest listens.
package enum SSHProbe {
  /// The timeout of a connection. QEMU retries a connection to a guest that isn't up at growing
  /// intervals, so a new connection is quicker than an old one. But QEMU keeps each one for a
  /// minute and a half.
  static func quick(after waited: Duration) -> Duration {
    min(max(waited / 20, .seconds(2)), patient)
  }
  /// The timeout of a second connection in parallel: a server on a busy host takes seconds to
  /// greet.
  private static let patient = Duration.seconds(15)

  /// The pause after a refused attempt: a small fraction of the time waited so far. So it delays
  /// success by that fraction at most, and a guest that never answers costs few attempts.
  static func pause(after waited: Duration) -> Duration {
    min(max(waited / 50, .milliseconds(100)), .seconds(2))
  }

  /// Returns when a server greets.
  ///
  /// - Throws: `CancellationError` when the task is cancelled.
  package static func untilReady(
    address: String, port: Int, on loop: EventLoop
  ) async throws {
    let host = address.isEmpty || address == "0.0.0.0" ? "127.0.0.1" : address
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await untilGreeted(host, port, on: loop, within: quick) }
      group.addTask { try await untilGreeted(host, port, on: loop) { _ in patient } }
      try await group.next()
      group.cancelAll()
    }
  }

  private static func untilGreeted(
    _ host: String, _ port: Int, on loop: EventLoop,
    within limit: @Sendable (_ waited: Duration) -> Duration
  ) async throws {
    let begin = SuspendingClock.now
    while true {
      let start = SuspendingClock.now
      let waited = begin.duration(to: start)
      let deadline = start.advanced(by: limit(waited))
      if try await greets(host, port, until: deadline, on: loop) { return }
      try await loop.sleep(until: max(.now, start.advanced(by: pause(after: waited))))
    }
  }

  private static func greets(
    _ address: String, _ port: Int, until deadline: SuspendingClock.Instant, on loop: EventLoop
  ) async throws(CancellationError) -> Bool {
    guard let socket = try? NetworkPort.connect(to: address, port: port) else { return false }
    var greeting: [UInt8] = []
    let expected = Array("SSH-".utf8)
    while greeting.count < expected.count {
      guard try await loop.ready(socket.number, for: .read, until: deadline) else { return false }
      switch SocketCalls.receive(socket.number) {
      case .bytes(let bytes): greeting.append(contentsOf: bytes)
      case .wouldBlock: continue
      case .closed, .failed: return false
      }
    }
    return greeting.starts(with: expected)
  }
}
