import Foundation
import QMPClient
import TestSupport
import Testing

@testable import QVMControl

@Suite(.timeLimit(.minutes(1))) struct SSHDialerTests {
  private func dialer(
    _ port: Int, silence: Duration = .seconds(20), retryTime: Duration, client: Descriptor
  ) -> SSHDialer {
    SSHDialer(
      address: "127.0.0.1", port: port, silence: silence, retryTime: retryTime,
      client: client.number)
  }

  @Test func `what is closed before a greeting is replaced; what is greeted is passed on unread`()
    throws
  {
    let server = try GreetingServer([
      .closed, .init(["Exceeded MaxStartups\r\n"]),
      .init(["Welcome\r\n", "SS", "H-2.0-test\r\n"], isKeptOpen: true),
    ])
    let (client, other) = try SocketCalls.pair()
    let connection = try dialer(server.port, retryTime: .seconds(40), client: client).dial()
    #expect(server.count == 3)
    try SocketCalls.pass(connection.number, to: client.number)
    #expect(fcntl(connection.number, F_GETFL) & O_NONBLOCK == 0)
    // The byte that comes with it; the descriptor itself is ssh's affair.
    #expect(SocketCalls.wait(other.number, for: .read, until: .now.advanced(by: .seconds(5))))
    var greeting = ""
    while !greeting.hasSuffix("\n"),
      SocketCalls.wait(connection.number, for: .read, until: .now.advanced(by: .seconds(5)))
    {
      guard case .bytes(let bytes) = SocketCalls.receive(connection.number) else { break }
      greeting += String(decoding: bytes, as: UTF8.self)
    }
    #expect(greeting == "SSH-2.0-test\r\n")
  }

  @Test func `it ends when its time is up, after one connection at least`() throws {
    let server = try GreetingServer([.closed])
    let (client, other) = try SocketCalls.pair()
    #expect(throws: SSHDialer.Failure.refused(times: 1, seconds: 0)) {
      try dialer(server.port, retryTime: .zero, client: client).dial()
    }
    let error = #expect(throws: SSHDialer.Failure.self) {
      try dialer(server.port, retryTime: .seconds(1), client: client).dial()
    }
    guard case .refused(let times, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect((2...20).contains(times))
    withExtendedLifetime(other) {}
  }

  @Test func `a connection that stays silent is replaced, as long as the server may be silent`()
    throws
  {
    let server = try GreetingServer([.silent, .silent, .init(["SSH-2.0-x\r\n"], isKeptOpen: true)])
    let (client, other) = try SocketCalls.pair()
    var dialer = dialer(server.port, silence: .seconds(30), retryTime: .zero, client: client)
    dialer.firstSilence = .milliseconds(200)
    _ = try dialer.dial()
    #expect(server.count == 3)
    withExtendedLifetime(other) {}
  }

  @Test func `a silent server and an absent one are not retried`() throws {
    let server = try GreetingServer([.silent])
    let (client, other) = try SocketCalls.pair()
    #expect(throws: SSHDialer.Failure.silent(seconds: 1)) {
      try dialer(server.port, silence: .seconds(1), retryTime: .seconds(50), client: client).dial()
    }
    let port = try GreetingServer([.closed]).port
    let error = #expect(throws: SSHDialer.Failure.self) {
      try dialer(port, retryTime: .seconds(50), client: client).dial()
    }
    guard case .unreachable = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    withExtendedLifetime((server, other)) {}
  }

  @Test func `it ends when the process that wanted the connection exits`() throws {
    let server = try GreetingServer([.closed])
    let (client, other) = try SocketCalls.pair()
    SocketCalls.endWriting(other.number)
    #expect(throws: SSHDialer.Failure.unwanted) {
      try dialer(server.port, retryTime: .seconds(50), client: client).dial()
    }
  }
}
