package import QMPClient

/// A client of `control.sock` for commands without tasks: it blocks, with a deadline.
package final class BlockingControlClient {
  package enum Failure: Error, Sendable, Hashable {
    /// No process listens there.
    case absent
    /// A process listens and doesn't answer.
    case silent
    /// The supervisor closed the connection.
    case ended
    /// The supervisor that answers belongs to another boot.
    case another
  }

  private let socket: Descriptor
  /// The token of the boot that is meant; nil to accept any.
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
  ///   - boot: The boot's token, which each request and each answer carries; nil if it can't be read.
  ///     Then any supervisor at these sockets is accepted.
  /// - Throws: `absent`, also if the listener belongs to another user; `silent` if the connection isn't
  ///   accepted.
  package init(_ runtime: RuntimeFolder, boot: String?) throws(Failure) {
    self.boot = boot
    do throws(SystemError) { socket = try runtime.connect(runtime.control) } catch {
      throw error.isAbsent || error.isRefused || error == .notOwned ? .absent : .silent
    }
  }

  /// Blocks until one of several connections has something to read, or until the deadline.
  ///
  /// - Parameters:
  ///   - clients: The connections. A nil counts as readable.
  ///   - deadline: How long to wait.
  /// - Returns: The places of the readable ones; none at the deadline.
  package static func ready(
    _ clients: [BlockingControlClient?], until deadline: SuspendingClock.Instant
  ) -> [Int] {
    let now = clients.indices.filter { clients[$0]?.received.contains(0x0A) ?? true }
    if !now.isEmpty { return now }
    return SocketCalls.readable(clients.map { $0?.socket.number ?? -1 }, until: deadline)
  }

  /// The connection and the bytes that have come by it already, for a client that doesn't block.
  package func takeOver() -> (socket: Descriptor, received: [UInt8]) { (socket, received) }

  package func send(_ request: ControlRequest) {
    let line = request.json(boot: boot).bytes + [0x0A]
    _ = line.withUnsafeBytes { SocketCalls.send(socket.number, $0) }
  }

  /// The next line from the supervisor; lines that aren't JSON are skipped.
  package func line(until deadline: SuspendingClock.Instant) throws(Failure) -> JSONValue {
    while true {
      if let newline = received.firstIndex(of: 0x0A) {
        let line = Array(received[..<newline])
        received.removeSubrange(...newline)
        guard let json = try? JSONValue(parsing: line) else { continue }
        // An older supervisor doesn't name its boot.
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

  /// The next event from the supervisor; other lines are skipped.
  package func event(until deadline: SuspendingClock.Instant) throws(Failure) -> ControlEvent {
    while true {
      if let event = ControlEvent(try line(until: deadline)) { return event }
    }
  }

  /// The next line with a member of that name: the answer to a request.
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
