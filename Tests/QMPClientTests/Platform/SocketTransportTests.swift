import Foundation
import Testing
import TestSupport

@testable import QMPClient

@Suite(.timeLimit(.minutes(1))) struct SocketTransportTests {
  private let loop: EventLoop

  init() throws { loop = try #require(EventLoop.shared) }

  @Test func `bytes sent before and after the start arrive in order`() async throws {
    let server = try QMPScriptedServer { peer throws in
      #expect(try peer.receiveUntilEnd() == ["one", "two"])
    }
    server.transport.send(Array("one\n".utf8))
    server.transport.start(on: loop) { _ in }
    server.transport.send(Array("two\n".utf8))
    server.transport.close()
    server.transport.send(Array("three\n".utf8))
    try await server.finish()
  }

  @Test(arguments: [true, false])
  func `what the kernel doesn't take is kept and sent later, whole and in order`(
    startsFirst: Bool
  ) async throws {
    let count = 20_000
    let mayRead = Mailbox<Void>()
    let server = try QMPScriptedServer { peer throws in
      while mayRead.poll() == nil { try peer.awaitInput() }
      for number in 0..<count {
        #expect(try peer.receiveLine()?.hasSuffix(#""id":\#(number)}"#) == true)
      }
    }
    let ended = Mailbox<Void>()
    let begin = {
      server.transport.start(on: loop) { input in
        if case .closed = input { ended.send(()) }
      }
    }
    if startsFirst { begin() }
    for number in 0..<count {
      server.transport.send(Array(#"{"execute":"query-status","id":\#(number)}"#.utf8) + [0x0A])
    }
    if !startsFirst { begin() }
    mayRead.send(())
    #expect(await ended.next() != nil)
    try await server.finish()
  }

  @Test func `sending to a peer that is gone raises no signal, and shows as the end of input`()
    async throws
  {
    let server = try QMPScriptedServer { _ in }
    try await server.finish()
    for _ in 0..<10 { server.transport.send([0x0A]) }
    let inputs = Mailbox<Bool>()
    server.transport.start(on: loop) { input in
      if case .closed = input { inputs.send(true) } else { inputs.send(false) }
    }
    #expect(await inputs.next() == true)
  }

  @Test(arguments: ["end of file", "ECONNRESET"])
  func `end of file and ECONNRESET are the same end, told once, after the last words`(
    manner: String
  ) async throws {
    let server = try QMPScriptedServer { peer throws in
      try peer.awaitInput()
      if manner == "end of file" { _ = try peer.receiveLine() }
      try peer.send("last words")
    }
    let inputs = Mailbox<String>()
    server.transport.start(on: loop) { input in
      switch input {
      case .bytes(let bytes): inputs.send(String(decoding: bytes, as: UTF8.self))
      case .closed: inputs.send("closed")
      case .failed(let error): inputs.send("\(error)")
      }
    }
    server.transport.send([0x0A])
    #expect(await inputs.next() == "last words\r\n")
    #expect(await inputs.next() == "closed")
    try await server.finish()
    #expect(inputs.poll() == nil)
  }

  @Test func `letting go of a transport ends its watch and closes its socket`() async throws {
    // A watch left behind would be one of whatever is opened next under the same number.
    let loop = try EventLoop()
    let (transport, ended) = try connected()
    transport.start(on: loop) { _ in }
    #expect(loop.watchCount == 1)
    transport.send(Array("bye\n".utf8))
    withExtendedLifetime(transport) {}
    func letGo(_ transport: consuming SocketTransport) {}
    letGo(consume transport)
    #expect(loop.watchCount == 0)
    #expect(await ended.next() == ["bye"])
  }

  /// A transport that has no other owner, and what has been sent when it is closed.
  private func connected() throws -> (SocketTransport, Mailbox<[String]>) {
    let (client, server) = try SocketCalls.pair()
    let ended = Mailbox<[String]>()
    #expect(startThread { ended.send((try? QMPPeer(server).receiveUntilEnd()) ?? []) })
    return (SocketTransport(client), ended)
  }

  @Test func `a path that is too long is refused before anything is tried`() {
    let path = "/tmp/" + String(repeating: "x", count: SocketCalls.longestPath - 4)
    #expect(throws: QMPError.socketPathTooLong(path: path, limit: SocketCalls.longestPath)) {
      _ = try SocketTransport(path: path)
    }
  }

  @Test func `a path of the longest length connects`() throws {
    let folder = try TemporaryFolder()
    let room = SocketCalls.longestPath - folder.path.utf8.count - 1
    let path = folder.path + "/" + String(repeating: "x", count: room)
    let listener = try SocketCalls.listen(path)
    let transport = try SocketTransport(path: path)
    #expect(SocketCalls.accept(on: listener) != nil)
    transport.close()
  }

  /// Why there is no connection to a path.
  private func failure(_ path: String) -> SystemError? {
    do throws(QMPError) {
      _ = try SocketTransport(path: path)
      return nil
    } catch {
      guard case .cannotConnect(path, let error) = error else { return nil }
      return error
    }
  }

  @Test func `a missing socket and one without a listener are told apart`() throws {
    let folder = try TemporaryFolder()
    #expect(failure(folder.path + "/absent")?.isAbsent == true)

    // As a killed QEMU leaves it: the socket's file without a listener.
    let path = folder.path + "/socket"
    func listenAndLeave() throws { _ = try SocketCalls.listen(path) }
    try listenAndLeave()
    #expect(failure(path)?.isRefused == true)
  }

  @Test func `a full queue is an error at once, not a wait`() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/socket"
    let listener = try SocketCalls.listen(path)
    var clients: [SocketTransport] = []
    while clients.count < 1000, let client = try? SocketTransport(path: path) {
      clients.append(client)
    }
    #expect(!clients.isEmpty)
    #expect(failure(path)?.call == "connect")
    #expect(failure(path)?.isRefused == false)
    withExtendedLifetime((listener, clients)) {}
  }

  /// Two sockets that keep each write apart from the next.
  private func boundaries() throws -> (transport: SocketTransport, peer: Descriptor) {
    var numbers: [Int32] = [-1, -1]
    try #require(socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue), 0, &numbers) == 0)
    return (SocketTransport(owning: numbers[0]), Descriptor(owning: numbers[1]))
  }

  private func received(_ peer: Descriptor) -> String? {
    guard SocketCalls.wait(peer.number, for: .read, until: .now.advanced(by: .seconds(10))),
      case .bytes(let bytes) = SocketCalls.receive(peer.number)
    else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test func `what is sent in one turn of the loop is one write`() throws {
    let (transport, peer) = try boundaries()
    transport.start(on: loop) { _ in }
    loop.perform { for word in ["a", "b", "c"] { transport.send(Array(word.utf8)) } }
    #expect(received(peer) == "abc")
    transport.send(Array("d".utf8))
    #expect(received(peer) == "d")
    transport.close()
  }

  @Test func `what was sent before the close is not lost with the connection`() throws {
    let (transport, peer) = try boundaries()
    transport.start(on: loop) { _ in }
    loop.perform {
      transport.send(Array("quit".utf8))
      transport.close()
    }
    #expect(received(peer) == "quit")
  }
}
