import QMPClient
import Testing

@testable import QVMControl

@Suite(.timeLimit(.minutes(1))) struct LineSocketTests {
  /// A line socket on a loop of its own, and its peer.
  private struct Pair: Sendable {
    let loop: EventLoop
    let socket: LineSocket
    let peer: ControlPeer
    let inputs = Mailbox<LineSocket.Input>()

    init(received: [UInt8] = [], on loop: EventLoop) throws {
      let (ours, theirs) = try SocketCalls.pair()
      let inputs = self.inputs
      self.loop = loop
      socket = LineSocket(ours, received: received, on: loop) { inputs.send($0) }
      peer = ControlPeer(theirs)
    }

    /// The next line; nil at the end of the connection.
    func line() async -> String? {
      if case .line(let json) = await inputs.next() { json.text } else { nil }
    }
  }

  /// Whether the end of the connection is what comes next.
  private static func hasEnded(_ pair: Pair) async -> Bool {
    if case .ended = await pair.inputs.next() { true } else { false }
  }

  private func with(
    received: [UInt8] = [], _ body: @escaping @Sendable (Pair) async throws -> Void
  ) throws {
    let loop = try EventLoop()
    try loop.runLimited {
      let pair = try Pair(received: received, on: loop)
      await pair.socket.start()
      try await body(pair)
      await pair.socket.close()
    }
  }

  @Test func `lines come whole, however they were split on their way`() throws {
    try with { pair in
      let text = "{\"a\":1}\n{\"b\":\"é\"}\r\n[3]\n"
      for byte in text.utf8 { pair.peer.send([byte]) }
      for line in ["{\"a\":1}", "{\"b\":\"é\"}", "[3]"] { #expect(await pair.line() == line) }
      pair.peer.send(text + text)
      for _ in 0..<2 {
        for line in ["{\"a\":1}", "{\"b\":\"é\"}", "[3]"] { #expect(await pair.line() == line) }
      }
    }
  }

  @Test func `what was read before is not lost`() throws {
    try with(received: Array("{\"a\":1}\n{\"b\"".utf8)) { pair in
      #expect(await pair.line() == "{\"a\":1}")
      pair.peer.send(":2}\n")
      #expect(await pair.line() == "{\"b\":2}")
    }
  }

  @Test func `a line that isn't JSON asks for nothing, and ends nothing`() throws {
    try with { pair in
      pair.peer.send("\n\nhello\n{\"a\":\n\u{0}\u{1}\n{\"a\":1}\n")
      #expect(await pair.line() == "{\"a\":1}")
      pair.peer.send([0xFF, 0xFE, 0x0A] + Array("[]\n".utf8))
      #expect(await pair.line() == "[]")
    }
  }

  @Test func `what came before the end is received, then the end, once`() throws {
    let loop = try EventLoop()
    try loop.runLimited {
      let inputs = Mailbox<LineSocket.Input>()
      let (ours, theirs) = try SocketCalls.pair()
      let socket = LineSocket(ours, on: loop) { inputs.send($0) }
      do {
        let peer = ControlPeer(theirs)
        peer.send("[1]\n[2")
      }
      // The last reference goes with this call's frame: from here on the peer is gone.
      await socket.start()
      guard case .line(let json) = await inputs.next() else {
        Issue.record("no line")
        return
      }
      #expect(json.text == "[1]")
    }
  }

  @Test func `a peer that hangs up ends the connection`() throws {
    let loop = try EventLoop()
    try loop.runLimited {
      let inputs = Mailbox<LineSocket.Input>()
      let socket = try Self.abandoned(inputs, on: loop)
      await socket.start()
      guard case .ended = await inputs.next() else {
        Issue.record("no end")
        return
      }
      await socket.send(["a": 1])
      #expect(inputs.poll() == nil)
    }
  }

  /// A line socket whose peer is gone.
  private static func abandoned(
    _ inputs: Mailbox<LineSocket.Input>, on loop: EventLoop
  ) throws -> LineSocket {
    let (ours, _) = try SocketCalls.pair()
    return LineSocket(ours, on: loop) { inputs.send($0) }
  }

  @Test func `a line without end ends the connection`() throws {
    try with { pair in
      let flood = [UInt8](repeating: UInt8(ascii: "x"), count: 3 << 20)
      let peer = pair.peer
      #expect(startThread { peer.send(flood) })
      #expect(await Self.hasEnded(pair))
    }
  }

  @Test func `what is sent comes out as lines`() throws {
    try with { pair in
      await pair.socket.send(["a": "x\ny"])
      await pair.socket.send([1, 2])
      let lines = try await pair.peer.lines(2, on: pair.loop)
      #expect(lines == [#"{"a":"x\ny"}"#, "[1,2]"])
    }
  }

  @Test func `more than the kernel takes is sent when the peer reads`() throws {
    try with { pair in
      let text = String(repeating: "x", count: 900_000)
      await pair.socket.send(["a": .string(text)])
      let lines = try await pair.peer.lines(1, on: pair.loop)
      #expect(lines.first?.utf8.count == 900_008)
    }
  }

  @Test func `a peer that never reads loses the connection, and delays no other`() throws {
    try with { pair in
      let text = String(repeating: "x", count: 100_000)
      for _ in 0..<40 { await pair.socket.send(["a": .string(text)]) }
      #expect(await Self.hasEnded(pair))
    }
  }

  @Test func `after close nothing is received`() throws {
    try with { pair in
      await pair.socket.close()
      pair.peer.send("[1]\n")
      try await pair.loop.sleep(until: .now.advanced(by: .milliseconds(1)))
      #expect(pair.inputs.poll() == nil)
    }
  }
}
