/// A client for a few commands that blocks, with one deadline for all of them.
///
/// For short-lived programs without tasks: it starts no thread and no executor. Events are ignored.
public final class BlockingQMPClient {
  private let socket: Descriptor
  private let deadline: SuspendingClock.Instant
  private let seconds: Double
  private var session = QMPSession()
  private var framer = LineFramer(limit: QMPClient.longestLine)

  /// Connects, waits for the greeting and negotiates.
  ///
  /// - Parameters:
  ///   - path: The monitor's socket.
  ///   - timeout: The time for the connection and all commands together.
  /// - Throws: `cannotConnect`; `noGreeting` if another client holds the monitor.
  public convenience init(path: String, timeout: Duration) throws(QMPError) {
    guard path.utf8.count <= SocketCalls.longestPath else {
      throw .socketPathTooLong(path: path, limit: SocketCalls.longestPath)
    }
    let socket: Descriptor
    do throws(SystemError) {
      socket = try SocketCalls.connect(path)
    } catch {
      throw .cannotConnect(path: path, error)
    }
    try self.init(over: socket, timeout: timeout)
  }

  /// Takes over a connected socket, waits for the greeting and negotiates.
  ///
  /// - Throws: `noGreeting` if another client holds the monitor.
  package init(over socket: Descriptor, timeout: Duration) throws(QMPError) {
    self.socket = socket
    deadline = .now.advanced(by: timeout)
    seconds = timeout.inSeconds
    while session.greeting == nil {
      guard try nextAction() != nil else { throw .noGreeting(seconds: seconds) }
    }
    _ = try execute(QMPCapabilities())
  }

  /// QEMU's greeting.
  public var greeting: QMPGreeting? { session.greeting }

  /// Executes a command and blocks until its reply.
  ///
  /// - Throws: `refused`, `disconnected`, `timedOut`.
  @discardableResult
  public func execute<Command: QMPCommand>(
    _ command: Command
  ) throws(QMPError) -> Command.Reply {
    let id = session.newID()
    do throws(QMPError) {
      try send(session.send(Command.name, command.arguments, id: id), for: Command.name)
      return try awaitReply(id, to: Command.self)
    } catch {
      throw error.during(Command.name)
    }
  }

  private func awaitReply<Command: QMPCommand>(
    _ id: Int, to command: Command.Type
  ) throws(QMPError) -> Command.Reply {
    while true {
      guard let action = try nextAction() else {
        throw .timedOut(command: Command.name, seconds: seconds)
      }
      guard case .reply(id, let result) = action else { continue }
      return try result.get().reply(to: Command.self)
    }
  }

  private func send(_ bytes: [UInt8], for command: String) throws(QMPError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      switch rest.withUnsafeBytes({ SocketCalls.send(socket.number, $0) }) {
      case .bytes(let count): rest = rest.dropFirst(count)
      case .wouldBlock:
        guard SocketCalls.wait(socket.number, for: .write, until: deadline) else {
          throw .timedOut(command: command, seconds: seconds)
        }
      case .closed: throw .disconnected(command: command)
      case .failed(let error): throw .transport(error)
      }
    }
  }

  /// What QEMU sent next; nil after the deadline.
  private func nextAction() throws(QMPError) -> QMPSession.Action? {
    while true {
      let action = try framer.next { line in
        Result { () throws(QMPError) in try session.receive(line) }
      }
      if let action { return try action.get() }
      guard SocketCalls.wait(socket.number, for: .read, until: deadline) else { return nil }
      switch SocketCalls.receive(socket.number) {
      case .bytes(let bytes): framer.append(bytes)
      case .wouldBlock: break
      case .closed: throw .disconnected(command: nil)
      case .failed(let error): throw .transport(error)
      }
    }
  }
}
