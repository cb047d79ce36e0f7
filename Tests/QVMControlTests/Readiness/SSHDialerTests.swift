import Foundation
import QMPClient
import Synchronization
import Testing

@testable import QVMControl

@Suite(.timeLimit(.minutes(1))) struct SSHDialerTests {
  /// Answers each connection with what comes next, the last over and over, and closes it but for one
  /// that it has greeted.
  private final class Server: Sendable {
    let number: Int32
    let port: Int
    private let taken = Mutex(0)

    var count: Int { taken.withLock { $0 } }

    init(_ answers: [[String]]) throws {
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
      Thread { [weak self] in
        var open: [Int32] = []
        while true {
          let client = accept(number, nil, nil)
          guard client >= 0, let self else { break }
          let index = taken.withLock { count in
            defer { count += 1 }
            return min(count, answers.count - 1)
          }
          for text in answers[index] {
            _ = text.withCString { send(client, $0, strlen($0), Int32(MSG_NOSIGNAL)) }
            usleep(30_000)
          }
          let isKept = answers[index].last.map { $0.hasSuffix("test\r\n") || $0 == "…" } ?? false
          if isKept { open.append(client) } else { close(client) }
        }
        for client in open { close(client) }
      }.start()
    }

    deinit {
      shutdown(number, Int32(SHUT_RDWR))
      close(number)
    }
  }

  private func dialer(
    _ port: Int, silence: Duration = .seconds(20), patience: Duration, client: Descriptor
  ) -> SSHDialer {
    SSHDialer(
      address: "127.0.0.1", port: port, silence: silence, patience: patience,
      client: client.number)
  }

  @Test func `what is closed before a greeting is replaced; what is greeted is passed on unread`()
    throws
  {
    let server = try Server([
      [], ["Exceeded MaxStartups\r\n"], ["Welcome\r\n", "SS", "H-2.0-test\r\n"],
    ])
    let (client, other) = try SocketCalls.pair()
    let connection = try dialer(server.port, patience: .seconds(40), client: client).dial()
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
    let server = try Server([[]])
    let (client, other) = try SocketCalls.pair()
    #expect(throws: SSHDialer.Failure.refused(times: 1, seconds: 0)) {
      try dialer(server.port, patience: .zero, client: client).dial()
    }
    let error = #expect(throws: SSHDialer.Failure.self) {
      try dialer(server.port, patience: .seconds(1), client: client).dial()
    }
    guard case .refused(let times, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect((2...20).contains(times))
    withExtendedLifetime(other) {}
  }

  @Test func `one that says nothing, and none at all, are no reason to try again`() throws {
    let server = try Server([["…"]])
    let (client, other) = try SocketCalls.pair()
    #expect(throws: SSHDialer.Failure.silent(seconds: 1)) {
      try dialer(server.port, silence: .seconds(1), patience: .seconds(50), client: client).dial()
    }
    let port = try Server([[]]).port
    let error = #expect(throws: SSHDialer.Failure.self) {
      try dialer(port, patience: .seconds(50), client: client).dial()
    }
    guard case .unreachable = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    withExtendedLifetime((server, other)) {}
  }

  @Test func `it ends with whoever wanted the connection`() throws {
    let server = try Server([[]])
    let (client, other) = try SocketCalls.pair()
    SocketCalls.endWriting(other.number)
    #expect(throws: SSHDialer.Failure.unwanted) {
      try dialer(server.port, patience: .seconds(50), client: client).dial()
    }
  }
}
