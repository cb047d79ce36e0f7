package import QMPClient

/// Whether the guest's ssh server answers: by its first bytes, since QEMU's user network accepts a
/// connection long before the guest listens.
package enum SSHProbe {
  /// How long a connection may take to greet. QEMU retries towards a guest that isn't up ever more
  /// seldom, so a new connection is quicker than a patient one; but it keeps each for a minute and a
  /// half.
  static func quick(after waited: Duration) -> Duration {
    min(max(waited / 20, .seconds(2)), patient)
  }
  /// The same for a second one beside it: a server on a busy machine takes seconds to greet.
  private static let patient = Duration.seconds(15)

  /// The time between two attempts that were refused at once: a small share of what was waited
  /// already, which is all that it adds, and next to nothing for a guest that never answers.
  static func pause(after waited: Duration) -> Duration {
    min(max(waited / 50, .milliseconds(100)), .seconds(2))
  }

  /// Returns once a server greets.
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
