import Foundation
import QMPClient
import Synchronization

/// A service manager's side of `sd_notify(3)`: a datagram socket that collects what it is told.
package final class NotifyListener: Sendable {
  /// For `NOTIFY_SOCKET`.
  package let address: String
  private let socket: Descriptor
  private let heard = Mutex<[String]>([])

  /// Listens at a path, or for a name that begins with `@` at an abstract address.
  package init(_ address: String) throws {
    self.address = address
    let number = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    socket = Descriptor(owning: number)
    var name = Array(address.utf8)
    let isAbstract = address.hasPrefix("@")
    if isAbstract { name[0] = 0 }
    var place = sockaddr_un()
    place.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &place.sun_path) { $0.copyBytes(from: name) }
    let length = isAbstract ? 2 + name.count : MemoryLayout<sockaddr_un>.size
    let result = withUnsafePointer(to: &place) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(number, $0, socklen_t(length))
      }
    }
    if number < 0 || result != 0 { throw Sandbox.Failure("no socket at \(address)") }
  }

  /// Every message so far, each of one or more lines.
  package var messages: [String] {
    heard.withLock { heard in
      while case .bytes(let bytes) = SocketCalls.receive(socket.number) {
        heard.append(String(decoding: bytes, as: UTF8.self))
      }
      return heard
    }
  }

  /// Where the first message with a line that begins so is; nil where there is none.
  package func index(of line: String) -> Int? {
    messages.firstIndex { message in message.split(separator: "\n").contains { $0.hasPrefix(line) }
    }
  }
}
