package import QMPClient

/// A client of `control.sock` for commands without tasks: it blocks, with a deadline.
package final class BlockingControlClient {
  package enum Failure: Error, Sendable, Hashable {
    /// Nobody listens there.
    case absent
    /// Somebody listens and says nothing.
    case silent
    /// The supervisor ended.
    case ended
    /// Whoever answers supervises another boot.
    case another
  }

  private let socket: Descriptor
  /// The boot that is meant; nil where whoever answers is known by other means.
  private let boot: String?
  private var received: [UInt8] = []

  /// Takes over a connection to a supervisor.
  package init(_ socket: Descriptor, boot: String? = nil) {
    self.socket = socket
    self.boot = boot
  }

  /// Connects to the supervisor of a boot.
  ///
  /// - Parameters:
  ///   - runtime: Where its sockets are.
  ///   - boot: The boot's token, which each request and each answer carries; nil where it can't be
  ///     read, and whoever has the sockets is meant.
  /// - Throws: `absent`, also where it is another user who listens; `silent` where nobody takes the
  ///   connection.
  package init(_ runtime: RuntimeFolder, boot: String?) throws(Failure) {
    self.boot = boot
    do throws(SystemError) { socket = try runtime.connect(runtime.control) } catch {
      throw error.isAbsent || error.isRefused || error == .notOwned ? .absent : .silent
    }
  }

  /// The places of those probes for which something has come, which is waited for until the
  /// deadline; what can't be waited for counts.
  package static func ready(
    _ clients: [BlockingControlClient?], until deadline: SuspendingClock.Instant
  ) -> [Int] {
    let now = clients.indices.filter { clients[$0]?.received.contains(0x0A) ?? true }
    if !now.isEmpty { return now }
    return SocketCalls.readable(clients.map { $0?.socket.number ?? -1 }, until: deadline)
  }

  /// The connection, and what has come by it already, for somebody who goes on without blocking.
  package func takeOver() -> (socket: Descriptor, received: [UInt8]) { (socket, received) }

  package func send(_ request: ControlRequest) {
    let line = request.json(boot: boot).bytes + [0x0A]
    _ = line.withUnsafeBytes { SocketCalls.send(socket.number, $0) }
  }

  /// The next line from the supervisor.
  package func line(until deadline: SuspendingClock.Instant) throws(Failure) -> JSONValue {
    while true {
      if let newline = received.firstIndex(of: 0x0A) {
        let line = Array(received[..<newline])
        received.removeSubrange(...newline)
        guard let json = try? JSONValue(parsing: line) else { continue }
        // One that is older than this says nothing of its boot.
        if let boot, let answering = json["boot"]?.string, answering != boot { throw .another }
        return json
      }
      switch SocketCalls.receive(socket.number, atMost: 1 << 10) {
      case .bytes(let bytes): received.append(contentsOf: bytes)
      case .closed, .failed: throw .ended
      case .wouldBlock:
        guard SocketCalls.wait(socket.number, for: .read, until: deadline) else {
          throw .silent
        }
      }
    }
  }

  /// The next event from the supervisor; other lines are passed over.
  package func event(until deadline: SuspendingClock.Instant) throws(Failure) -> ControlEvent {
    while true {
      if let event = ControlEvent(try line(until: deadline)) { return event }
    }
  }

  /// The next line that has a member: the answer to a request.
  package func answer(
    to member: String, until deadline: SuspendingClock.Instant
  ) throws(Failure) -> JSONValue {
    while true {
      let line = try line(until: deadline)
      if line[member] != nil { return line }
    }
  }

  /// The answer to a request for the status.
  package func status(until deadline: SuspendingClock.Instant) throws(Failure) -> JSONValue {
    try answer(to: "status", until: deadline)["status"] ?? .null
  }
}
