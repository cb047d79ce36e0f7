import QMPClient

/// The other end of a control connection, as a test holds it: bytes in, bytes out.
final class ControlPeer: Sendable {
  struct Silence: Error {}

  let socket: Descriptor

  init(_ socket: Descriptor) { self.socket = socket }

  func send(_ text: String) { send(Array(text.utf8)) }

  func send(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty {
      switch rest.withUnsafeBytes({ SocketCalls.send(socket.number, $0) }) {
      case .bytes(let count): rest = rest.dropFirst(count)
      case .wouldBlock:
        _ = SocketCalls.wait(socket.number, for: .write, until: .now.advanced(by: .seconds(10)))
      case .closed, .failed: return
      }
    }
  }

  /// Everything that comes until so many lines are there, or the other side hangs up.
  func lines(_ count: Int, on loop: EventLoop) async throws -> [String] {
    var received: [UInt8] = []
    while received.count(where: { $0 == 0x0A }) < count {
      switch SocketCalls.receive(socket.number) {
      case .bytes(let bytes): received += bytes
      case .closed, .failed: return Self.split(received)
      case .wouldBlock:
        let deadline = SuspendingClock.now.advanced(by: .seconds(10))
        guard try await loop.ready(socket.number, for: .read, until: deadline) else {
          throw Silence()
        }
      }
    }
    return Self.split(received)
  }

  private static func split(_ bytes: [UInt8]) -> [String] {
    String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
  }
}
