package import QMPClient

/// Whether the guest's ssh server answers: by its first bytes, since QEMU's user network accepts a
/// connection long before the guest listens.
package enum SSHProbe {
  /// How patient to be after some time of waiting.
  ///
  /// A small share of what has been waited already is all that it can add, and what may never answer
  /// costs next to nothing.
  struct Pace: Hashable {
    /// How long one connection may take to greet. QEMU retries towards a guest that isn't up ever
    /// more seldom, so a new connection is quicker than a patient one; but a server on a busy
    /// machine may take seconds.
    let attempt: Duration
    /// The time between two attempts that were refused at once.
    let pause: Duration

    init(after waited: Duration) {
      attempt = min(max(waited / 10, .seconds(2)), .seconds(15))
      pause = min(max(waited / 20, .milliseconds(100)), .seconds(5))
    }
  }

  /// Returns once a server greets.
  ///
  /// - Throws: `CancellationError` when the task is cancelled.
  package static func untilReady(
    address: String, port: Int, on loop: EventLoop
  ) async throws {
    let host = address.isEmpty || address == "0.0.0.0" ? "127.0.0.1" : address
    let begin = SuspendingClock.now
    while true {
      let start = SuspendingClock.now
      let pace = Pace(after: begin.duration(to: start))
      if try await greets(host, port, until: start.advanced(by: pace.attempt), on: loop) { return }
      try await loop.sleep(until: max(.now, start.advanced(by: pace.pause)))
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
