import Foundation
import QMPClient
import Synchronization

/// A TCP server on 127.0.0.1 that answers each connection with a script, as an ssh server (or what is
/// none) might.
package final class GreetingServer: Sendable {
  /// What one connection gets.
  package struct Answer: Sendable {
    package let texts: [String]
    package let pause: Duration
    package let isKeptOpen: Bool

    /// - Parameters:
    ///   - texts: Written one by one, each a packet of its own.
    ///   - pause: Waited before each text.
    ///   - isKeptOpen: Whether the connection stays open after the last text, until the server goes.
    package init(_ texts: [String], pause: Duration = .milliseconds(30), isKeptOpen: Bool = false) {
      self.texts = texts
      self.pause = pause
      self.isKeptOpen = isKeptOpen
    }

    /// Takes the connection and closes it without a word.
    package static let closed = Answer([])
    /// Takes the connection and never says anything.
    package static let silent = Answer([], isKeptOpen: true)
  }

  package let port: Int
  private let socket: Descriptor
  private let taken = Mutex(0)
  private let open = Mutex<[Descriptor]>([])

  /// How many connections were taken.
  package var count: Int { taken.withLock { $0 } }

  /// Listens at a free port.
  /// - Parameter answers: For the first connection, the second, …; the last one for all that follow.
  /// - Throws: `Sandbox.Failure` where no port can be had.
  package init(_ answers: [Answer]) throws {
    let number = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    socket = Descriptor(owning: number)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(number, $0, length) + listen(number, 16) + getsockname(number, $0, &length)
      }
    }
    if number < 0 || result != 0 { throw Sandbox.Failure("no server on 127.0.0.1") }
    port = Int(UInt16(bigEndian: address.sin_port))
    // The thread has the socket for as long as it accepts: were it closed before, the number could
    // be the next server's, whose connections this thread would take.
    Thread { [weak self, socket] in
      while case let client = accept(socket.number, nil, nil), client >= 0 {
        let connection = Descriptor(owning: client)
        guard let index = self?.next() else { break }
        let answer = answers[min(index, answers.count - 1)]
        Thread { [weak self] in
          for text in answer.texts {
            usleep(useconds_t(answer.pause / .microseconds(1)))
            _ = text.withCString { send(connection.number, $0, strlen($0), Int32(MSG_NOSIGNAL)) }
          }
          if answer.isKeptOpen { self?.open.withLock { $0.append(connection) } }
        }.start()
      }
    }.start()
  }

  private func next() -> Int {
    taken.withLock { count in
      defer { count += 1 }
      return count
    }
  }

  deinit {
    shutdown(socket.number, Int32(SHUT_RDWR))
  }
}
