import QMPClient
import TestSupport
import Testing

@testable import QVMControl

@Suite(.timeLimit(.minutes(1))) struct BlockingControlClientTests {
  private let folder: TemporaryFolder
  private var path: String { "\(folder.path)/control.sock" }
  private var soon: SuspendingClock.Instant { .now.advanced(by: .seconds(10)) }

  init() throws { folder = try TemporaryFolder() }

  @Test func `a missing socket and one without a listener are both absent`() throws {
    #expect(throws: BlockingControlClient.Failure.absent) {
      try BlockingControlClient(RuntimeFolder(path: folder.path), boot: nil)
    }
    _ = try SocketCalls.listen(path)
    #expect(throws: BlockingControlClient.Failure.absent) {
      try BlockingControlClient(RuntimeFolder(path: folder.path), boot: nil)
    }
  }

  private func status(within time: Duration) throws -> JSONValue {
    let probe = try BlockingControlClient(RuntimeFolder(path: folder.path), boot: nil)
    probe.send(.status)
    return try probe.status(until: .now.advanced(by: time))
  }

  @Test func `a peer that accepts nothing is silent, after the timeout and not before`() throws {
    let listener = try SocketCalls.listen(path)
    let start = SuspendingClock.now
    #expect(throws: BlockingControlClient.Failure.silent) {
      try status(within: .milliseconds(150))
    }
    let took = start.duration(to: .now)
    #expect(took >= .milliseconds(150))
    #expect(took < .seconds(5))
    withExtendedLifetime(listener) {}
  }

  @Test func `a peer that hangs up has ended`() throws {
    func orphan() throws -> BlockingControlClient {
      BlockingControlClient(try SocketCalls.pair().0)
    }
    let probe = try orphan()
    #expect(throws: BlockingControlClient.Failure.ended) { try probe.line(until: soon) }
  }

  @Test func `the status is found among other lines`() throws {
    let listener = try SocketCalls.listen(path)
    #expect(
      startThread {
        guard SocketCalls.wait(listener.number, for: .read, until: .now.advanced(by: .seconds(10))),
          let socket = SocketCalls.accept(on: listener)
        else { return }
        let peer = ControlPeer(socket)
        peer.send("garbage\n{\"event\":\"created\"}\n{\"status\":{\"pha")
        peer.send("se\":\"running\"}}\n")
        _ = SocketCalls.wait(socket.number, for: .read, until: .now.advanced(by: .seconds(10)))
      })
    let status = try self.status(within: .seconds(10))
    #expect(status.text == #"{"phase":"running"}"#)
  }

  @Test func `events come in order, and other lines are skipped`() throws {
    let (ours, theirs) = try SocketCalls.pair()
    let probe = BlockingControlClient(ours)
    let peer = ControlPeer(theirs)
    peer.send(
      "{\"event\":\"created\"}\n{\"error\":\"x\"}\n{\"event\":\"new\"}\n"
        + "{\"event\":\"notice\",\"text\":\"é\"}\n")
    #expect(try probe.event(until: soon) == .created)
    #expect(try probe.event(until: soon) == .notice("é"))
    #expect(throws: BlockingControlClient.Failure.silent) { try probe.event(until: .now) }
  }

  @Test func `a request names the boot, and an answer for another boot is ignored`() throws {
    let (ours, theirs) = try SocketCalls.pair()
    let (probe, peer) = (BlockingControlClient(ours, boot: "mine"), ControlPeer(theirs))
    probe.send(.status)
    guard case .bytes(let bytes) = SocketCalls.receive(theirs.number) else {
      Issue.record("nothing was sent")
      return
    }
    #expect(
      String(decoding: bytes, as: UTF8.self) == "{\"request\":\"status\",\"boot\":\"mine\"}\n")
    // A supervisor that is older than this says nothing of its boot.
    peer.send("{\"event\":\"created\"}\n{\"event\":\"created\",\"boot\":\"mine\"}\n")
    for _ in 0..<2 { #expect(try probe.event(until: soon) == .created) }
    peer.send("{\"status\":{\"phase\":\"running\"},\"boot\":\"other\"}\n")
    #expect(throws: BlockingControlClient.Failure.another) { try probe.status(until: soon) }
  }

  @Test func `a request goes out as one line`() throws {
    let (ours, theirs) = try SocketCalls.pair()
    BlockingControlClient(ours).send(.stop(.quit, timeout: 3))
    guard case .bytes(let bytes) = SocketCalls.receive(theirs.number) else {
      Issue.record("nothing was sent")
      return
    }
    #expect(
      String(decoding: bytes, as: UTF8.self)
        == "{\"request\":\"stop\",\"rung\":\"quit\",\"timeout\":3}\n")
  }
}
