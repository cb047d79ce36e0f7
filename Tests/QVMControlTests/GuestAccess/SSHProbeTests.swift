import QMPClient
import TestSupport
import Testing

@testable import QVMControl

@Suite(.timeLimit(.minutes(1))) struct SSHProbeTests {
  private func server(_ greeting: String, after delay: Duration) throws -> GreetingServer {
    try GreetingServer([.init([greeting], pause: delay)])
  }

  /// How long until a server is found; nil where it isn't within the limit.
  private func time(to server: GreetingServer, limit: Duration) throws -> Duration? {
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
    let time = try time(to: try server("SSH-2.0-test\r\n", after: .seconds(0)), limit: .seconds(20))
    #expect(try #require(time) < .seconds(10))
  }

  @Test func `a server that takes three seconds to greet is found, too`() throws {
    let time = try time(to: try server("SSH-2.0-test\r\n", after: .seconds(3)), limit: .seconds(20))
    #expect(try #require(time) >= .seconds(3))
  }

  @Test func `what takes connections and greets otherwise is no ssh server`() throws {
    #expect(try time(to: try server("220 mail\r\n", after: .seconds(0)), limit: .seconds(1)) == nil)
    #expect(try time(to: try server("", after: .seconds(0)), limit: .seconds(1)) == nil)
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
