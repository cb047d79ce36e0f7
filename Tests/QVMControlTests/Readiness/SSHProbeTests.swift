import Foundation
import QMPClient
import Testing

@testable import QVMControl

@Suite(.timeLimit(.minutes(1))) struct SSHProbeTests {
  /// Listens, takes connections, and writes to each after a while.
  private final class Server: Sendable {
    let number: Int32
    let port: Int

    init(_ greeting: String, after delay: Double) throws {
      #if canImport(Glibc)
        number = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      #else
        number = socket(AF_INET, SOCK_STREAM, 0)
      #endif
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_addr.s_addr = inet_addr("127.0.0.1")
      var length = socklen_t(MemoryLayout<sockaddr_in>.size)
      let number = self.number
      let result = withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(number, $0, length) + listen(number, 16) + getsockname(number, $0, &length)
        }
      }
      try #require(result == 0)
      port = Int(UInt16(bigEndian: address.sin_port))
      Thread {
        while true {
          let client = accept(number, nil, nil)
          guard client >= 0 else { return }
          DispatchQueue.global().asyncAfter(deadline: .now() + delay) {
            _ = greeting.withCString { send(client, $0, strlen($0), Int32(MSG_NOSIGNAL)) }
            close(client)
          }
        }
      }.start()
    }

    deinit {
      shutdown(number, Int32(SHUT_RDWR))
      close(number)
    }
  }

  /// How long until a server is found; nil where it isn't within the limit.
  private func time(to server: Server, limit: Duration) throws -> Duration? {
    let loop = try EventLoop()
    let port = server.port
    let start = SuspendingClock.now
    let isFound = try loop.run {
      try await withThrowingTaskGroup(of: Bool.self) { group in
        group.addTask {
          try await SSHProbe.untilReady(address: "127.0.0.1", port: port, on: loop)
          return true
        }
        group.addTask {
          try await loop.sleep(until: start.advanced(by: limit))
          return false
        }
        defer { group.cancelAll() }
        return try await group.next() ?? false
      }
    }
    return isFound ? start.duration(to: .now) : nil
  }

  @Test func `a server is found by its first bytes`() throws {
    let time = try time(to: try Server("SSH-2.0-test\r\n", after: 0), limit: .seconds(20))
    #expect(try #require(time) < .seconds(10))
  }

  @Test func `a server that takes three seconds to greet is found, too`() throws {
    let time = try time(to: try Server("SSH-2.0-test\r\n", after: 3), limit: .seconds(20))
    #expect(try #require(time) >= .seconds(3))
  }

  @Test func `what takes connections and greets otherwise is no ssh server`() throws {
    #expect(try time(to: try Server("220 mail\r\n", after: 0), limit: .seconds(1)) == nil)
    #expect(try time(to: try Server("", after: 0), limit: .seconds(1)) == nil)
  }

  @Test func `a probe adds a small share to what was waited`() {
    #expect(SSHProbe.pause(after: .zero) == .milliseconds(100))
    for seconds in [5, 20, 60, 100] {
      #expect(SSHProbe.pause(after: .seconds(seconds)) * 50 <= .seconds(seconds))
    }
    #expect(SSHProbe.pause(after: .seconds(86_400)) == .seconds(2))
    #expect(SSHProbe.quick(after: .seconds(40)) == .seconds(2))
    #expect(SSHProbe.quick(after: .seconds(86_400)) == .seconds(15))
  }
}
