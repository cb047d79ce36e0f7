import QMPClient
import TestSupport
import Testing

@testable import QVMControl

@Suite(.timeLimit(.minutes(1))) struct ControlServerTests {
  /// A server on a loop, and what it received.
  private struct Fixture: Sendable {
    enum Heard: Sendable, Equatable {
      case request(ControlRequest, ControlServer.ClientID)
      case lost(ControlServer.ClientID)
    }

    let loop: EventLoop
    let server: ControlServer
    let heard = Mailbox<Heard>()
    let folder: TemporaryFolder
    var path: String { "\(folder.path)/control.sock" }

    init(on loop: EventLoop) throws {
      let heard = self.heard
      self.loop = loop
      folder = try TemporaryFolder()
      server = ControlServer(
        of: "b", on: loop, receive: { heard.send(.request($0, $1)) },
        lost: { heard.send(.lost($0)) })
    }

    func connect() throws -> ControlPeer { ControlPeer(try SocketCalls.connect(path)) }

    /// The client that the next input is from; nil where it isn't that request.
    func sender(of wanted: ControlRequest) async -> ControlServer.ClientID? {
      if case .request(wanted, let id) = await heard.next() { id } else { nil }
    }
  }

  private func with(_ body: @escaping @Sendable (Fixture) async throws -> Void) throws {
    let loop = try EventLoop()
    try loop.runLimited {
      let fixture = try Fixture(on: loop)
      try await fixture.server.listen(at: fixture.path)
      try await body(fixture)
      await fixture.server.stopListening()
    }
  }

  @Test func `its socket is for this user alone`() throws {
    try with { fixture in
      #expect(Files.information(fixture.path)?.kind == .socket)
      #expect(Files.information(fixture.path)?.mode == 0o600)
    }
  }

  @Test func `where something is already it doesn't listen, and leaves it there`() throws {
    try with { fixture in
      let other = ControlServer(of: "b", on: fixture.loop, receive: { _, _ in }, lost: { _ in })
      await #expect(throws: SystemError.self) { try await other.listen(at: fixture.path) }
      let peer = try fixture.connect()
      peer.send("{\"request\":\"status\"}\n")
      #expect(await fixture.sender(of: .status) != nil)
    }
  }

  @Test func `many clients are told apart, and each gets its own answer`() throws {
    try with { fixture in
      let peers = try (0..<50).map { _ in try fixture.connect() }
      for (index, peer) in peers.enumerated() {
        peer.send("{\"request\":\"stop\",\"rung\":\"quit\",\"timeout\":\(index)}\n")
      }
      for _ in peers {
        guard case .request(.stop(.quit, let timeout?), let id) = await fixture.heard.next() else {
          Issue.record("not the request")
          return
        }
        await fixture.server.send(["you": .integer(Int64(timeout))], to: id)
      }
      for (index, peer) in peers.enumerated() {
        #expect(try await peer.lines(1, on: fixture.loop) == ["{\"you\":\(index),\"boot\":\"b\"}"])
      }
    }
  }

  @Test func `only subscribers get events`() throws {
    try with { fixture in
      let (quiet, eager) = (try fixture.connect(), try fixture.connect())
      eager.send("{\"request\":\"subscribe\"}\n")
      let eagerID = try #require(await fixture.sender(of: .subscribe))
      await fixture.server.subscribe(eagerID)
      quiet.send("{\"request\":\"status\"}\n")
      let quietID = try #require(await fixture.sender(of: .status))
      await fixture.server.broadcast(.created)
      await fixture.server.send(["only": "you"], to: quietID)
      #expect(try await eager.lines(1, on: fixture.loop) == [#"{"event":"created","boot":"b"}"#])
      #expect(try await quiet.lines(1, on: fixture.loop) == [#"{"only":"you","boot":"b"}"#])
    }
  }

  @Test func `garbage is answered or passed over, and the next request still counts`() throws {
    try with { fixture in
      let peer = try fixture.connect()
      peer.send("garbage\n{}\n{\"request\":\"dance\"}\n{\"request\":\"status\"}\n")
      #expect(await fixture.sender(of: .status) != nil)
      let answer = #"{"error":"unknown request","boot":"b"}"#
      #expect(try await peer.lines(2, on: fixture.loop) == [answer, answer])
    }
  }

  @Test func `a client that goes is reported, after what it said`() throws {
    try with { fixture in
      func visit() throws {
        let peer = try fixture.connect()
        peer.send("{\"request\":\"detach\"}\n")
      }
      try visit()
      let id = try #require(await fixture.sender(of: .detach))
      await fixture.server.done(id)
      #expect(await fixture.heard.next() == .lost(id))
    }
  }

  @Test func `a client that never reads is dropped, and the others get everything`() throws {
    try with { fixture in
      let (deaf, eager) = (try fixture.connect(), try fixture.connect())
      for peer in [deaf, eager] {
        peer.send("{\"request\":\"subscribe\"}\n")
        let id = try #require(await fixture.sender(of: .subscribe))
        await fixture.server.subscribe(id)
        await fixture.server.done(id)
      }
      let text = String(repeating: "x", count: 50_000)
      var heard: Fixture.Heard?
      for number in 0..<60 where heard == nil {
        await fixture.server.broadcast(.notice("\(number) \(text)"))
        let line = try await eager.lines(1, on: fixture.loop)
        #expect(line.first?.hasPrefix("{\"event\":\"notice\",\"text\":\"\(number) x") == true)
        heard = fixture.heard.poll()
      }
      if heard == nil { heard = await fixture.heard.next() }
      guard case .lost? = heard else {
        Issue.record("the deaf client is still there")
        return
      }
      withExtendedLifetime(deaf) {}
    }
  }

  @Test func `a request for another boot is refused, one for this or for any is taken`() throws {
    try with { fixture in
      let peer = try fixture.connect()
      peer.send("{\"request\":\"stop\",\"rung\":\"quit\",\"boot\":\"other\"}\n")
      #expect(
        try await peer.lines(1, on: fixture.loop) == [#"{"error":"another boot","boot":"b"}"#])
      for boot in ["", ",\"boot\":\"b\""] {
        peer.send("{\"request\":\"status\"\(boot)}\n")
        await fixture.server.done(try #require(await fixture.sender(of: .status)))
      }
    }
  }

  @Test func `the next request of a client is read when its last was answered`() throws {
    try with { fixture in
      let (eager, other) = (try fixture.connect(), try fixture.connect())
      eager.send("{\"request\":\"status\"}\n{\"request\":\"console\"}\n{\"request\":\"detach\"}\n")
      let id = try #require(await fixture.sender(of: .status))
      // Others are not held up.
      other.send("{\"request\":\"subscribe\"}\n")
      #expect(await fixture.sender(of: .subscribe) != nil)
      #expect(fixture.heard.poll() == nil)
      await fixture.server.done(id)
      #expect(await fixture.sender(of: .console) == id)
      #expect(fixture.heard.poll() == nil)
      await fixture.server.done(id)
      #expect(await fixture.sender(of: .detach) == id)
    }
  }

  @Test func `a client that asks without end and never reads takes no memory`() throws {
    try with { fixture in
      let deaf = try fixture.connect()
      // As much as fits, of which the server takes in no more than it has answered.
      let requests = String(repeating: "{\"request\":\"status\"}\n", count: 2_500)
      func ask() {
        _ = requests.utf8CString.withUnsafeBytes {
          SocketCalls.send(deaf.socket.number, UnsafeRawBufferPointer(rebasing: $0.dropLast()))
        }
      }
      let text = JSONValue.string(String(repeating: "x", count: 10_000))
      var answered = 0
      ask()
      while let heard = answered == 0 ? await fixture.heard.next() : fixture.heard.poll() {
        guard case .request(.status, let id) = heard else { break }
        await fixture.server.send(["status": text], to: id)
        await fixture.server.done(id)
        answered += 1
        ask()
        try await fixture.loop.sleep(until: .now)
      }
      // What the kernel holds for it is all there is.
      #expect(answered > 1 && answered < 200, "\(answered)")
      let other = try fixture.connect()
      other.send("{\"request\":\"console\"}\n")
      #expect(await fixture.sender(of: .console) != nil)
      withExtendedLifetime(deaf) {}
    }
  }

  @Test func `after it stopped listening the clients that are there stay`() throws {
    try with { fixture in
      let peer = try fixture.connect()
      peer.send("{\"request\":\"status\"}\n")
      let id = try #require(await fixture.sender(of: .status))
      await fixture.server.stopListening()
      // A child that another test spawns just now has a copy of the socket until its `exec`.
      try await eventually("nothing listens") { (try? fixture.connect()) == nil }
      await fixture.server.send(["still": "here"], to: id)
      #expect(try await peer.lines(1, on: fixture.loop) == [#"{"still":"here","boot":"b"}"#])
    }
  }

  @Test func `a client that is connected already is taken in with what it sent`() throws {
    try with { fixture in
      let (ours, theirs) = try SocketCalls.pair()
      let id = await fixture.server.add(
        ours, received: Array("{\"request\":\"status\"}\n".utf8), wantsEvents: true)
      #expect(await fixture.heard.next() == .request(.status, id))
      await fixture.server.broadcast(.created)
      #expect(
        try await ControlPeer(theirs).lines(1, on: fixture.loop) == [
          #"{"event":"created","boot":"b"}"#
        ])
    }
  }
}
