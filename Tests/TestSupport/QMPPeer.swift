package import QMPClient
internal import Synchronization

/// QEMU's side of a monitor connection, for a thread of its own: every call blocks, with a deadline.
package final class QMPPeer: Sendable {
  /// What went wrong on QEMU's side.
  package enum Failure: Error, Hashable {
    case nothingCame(within: Duration)
    case cannotSend
    case socket(SystemError)
    case notACommand(String)
    case unexpectedCommand(String, expected: String)
    case clientHungUp
  }

  private let socket: Mutex<Descriptor?>
  private let received = Mutex<[UInt8]>([])
  private let timeout: Duration

  /// Takes over a connected socket.
  ///
  /// - Parameters:
  ///   - socket: QEMU's end of the connection.
  ///   - timeout: How long each call may wait for the client.
  package init(_ socket: Descriptor, timeout: Duration = .seconds(20)) {
    self.socket = Mutex(socket)
    self.timeout = timeout
  }

  private func open() throws -> Descriptor {
    guard let socket = socket.withLock({ $0 }) else { throw Failure.clientHungUp }
    return socket
  }

  /// Sends bytes as they are; false where the client is gone.
  @discardableResult
  package func send(_ bytes: [UInt8]) throws -> Bool {
    let socket = try open()
    let deadline = SuspendingClock.now.advanced(by: timeout)
    var rest = bytes[...]
    while !rest.isEmpty {
      switch rest.withUnsafeBytes({ SocketCalls.send(socket.number, $0) }) {
      case .bytes(let count): rest = rest.dropFirst(count)
      case .wouldBlock:
        guard SocketCalls.wait(socket.number, for: .write, until: deadline) else {
          throw Failure.cannotSend
        }
      case .closed: return false
      case .failed(let error): throw Failure.socket(error)
      }
    }
    return true
  }

  /// Sends a line as QEMU does, with CR LF.
  package func send(_ line: String) throws { try send(Array((line + "\r\n").utf8)) }

  /// Waits for the next line; nil when the client has hung up.
  package func receiveLine() throws -> String? {
    let socket = try open()
    let deadline = SuspendingClock.now.advanced(by: timeout)
    while true {
      let line = received.withLock { bytes -> String? in
        guard let end = bytes.firstIndex(of: 0x0A) else { return nil }
        defer { bytes.removeSubrange(...end) }
        return String(decoding: bytes[..<end], as: UTF8.self)
      }
      if let line { return line }
      guard SocketCalls.wait(socket.number, for: .read, until: deadline) else {
        throw Failure.nothingCame(within: timeout)
      }
      switch SocketCalls.receive(socket.number) {
      case .bytes(let bytes): received.withLock { $0.append(contentsOf: bytes) }
      case .wouldBlock: break
      case .closed: return nil
      case .failed(let error): throw Failure.socket(error)
      }
    }
  }

  /// Waits until the client has sent something, without reading it.
  package func awaitInput() throws {
    let deadline = SuspendingClock.now.advanced(by: timeout)
    guard SocketCalls.wait(try open().number, for: .read, until: deadline) else {
      throw Failure.nothingCame(within: timeout)
    }
  }

  /// Does nothing for a while, unless the client hangs up.
  package func pause(_ time: Duration) {
    guard let socket = try? open() else { return }
    // Nothing is asked for: only an error or the end would cut the sleep short.
    _ = SocketCalls.wait(socket.number, for: [], until: .now.advanced(by: time))
  }

  /// Waits until the client has hung up, and returns the lines that came before.
  @discardableResult
  package func receiveUntilEnd() throws -> [String] {
    var lines: [String] = []
    while let line = try receiveLine() { lines.append(line) }
    return lines
  }

  /// Hangs up. With input that was not read, the client sees `ECONNRESET`.
  package func hangUp() { socket.withLock { $0 = nil } }
}

extension QMPPeer {
  /// A command as it came.
  package struct Command {
    package let name: String
    package let isOutOfBand: Bool
    package let arguments: JSONObject
    package let id: Int
  }

  /// QEMU 7.2's greeting, as recorded.
  package static let greeting = """
    {"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, \
    "package": "Debian 1:7.2+dfsg-7+deb12u18+b3"}, "capabilities": ["oob"]}}
    """

  /// Waits for the next command, which must be of this name if one is given.
  package func receive(_ name: String? = nil) throws -> Command {
    guard let line = try receiveLine() else { throw Failure.clientHungUp }
    let json = try JSONValue(parsing: line)
    guard let received = (json["execute"] ?? json["exec-oob"])?.string, let id = json["id"]?.int
    else { throw Failure.notACommand(line) }
    if let name, name != received {
      throw Failure.unexpectedCommand(received, expected: name)
    }
    return Command(
      name: received, isOutOfBand: json["exec-oob"] != nil,
      arguments: json["arguments"]?.object ?? JSONObject(), id: id)
  }

  /// Answers a command.
  package func answer(_ command: Command, _ result: JSONValue = [:]) throws {
    try send(#"{"return": \#(result.text), "id": \#(command.id)}"#)
  }

  /// Waits for a command and answers it.
  package func expect(_ name: String, _ result: JSONValue = [:]) throws {
    try answer(try receive(name), result)
  }

  /// Reports an event without data.
  package func report(_ event: String) throws {
    try send(
      #"{"timestamp": {"seconds": 1, "microseconds": 2}, "event": "\#(event)"}"#)
  }

  /// Greets and lets the client negotiate.
  package func negotiate() throws {
    try send(Self.greeting)
    try expect("qmp_capabilities")
  }
}
