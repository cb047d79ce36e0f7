import Testing
import TestSupport

@testable import QMPClient

extension QMPSession {
  fileprivate mutating func receive(_ line: String) throws(QMPError) -> Action {
    let result = Array(line.utf8).withUnsafeBufferPointer { bytes in
      Result { () throws(QMPError) in try receive(bytes) }
    }
    return try result.get()
  }

  fileprivate mutating func send(
    _ command: String, _ arguments: JSONObject, outOfBand: Bool = false
  ) -> (id: Int, bytes: [UInt8]) {
    let id = newID()
    return (id, send(command, arguments, id: id, outOfBand: outOfBand))
  }

  /// A session that has been greeted.
  fileprivate static func greeted() throws -> QMPSession {
    var session = QMPSession()
    _ = try session.receive(QMPPeer.greeting)
    return session
  }
}

@Suite struct QMPSessionTests {
  // MARK: - Sending

  @Test func `commands are minified, with numeric ids of their own`() throws {
    var session = try QMPSession.greeted()
    let first = session.send("query-status", [:])
    let second = session.send("set-action", ["panic": "none", "shutdown": "pause"])
    #expect(
      String(decoding: first.bytes, as: UTF8.self) == #"{"execute":"query-status","id":1}"# + "\n")
    #expect(
      String(decoding: second.bytes, as: UTF8.self)
        == #"{"execute":"set-action","arguments":{"panic":"none","shutdown":"pause"},"id":2}"#
        + "\n")
    #expect((first.id, second.id) == (1, 2))
  }

  @Test func `a name can't break out of its string`() throws {
    var session = try QMPSession.greeted()
    let bytes = session.send("a\",\"id\":9}\n{", [:]).bytes
    let text = String(decoding: bytes, as: UTF8.self)
    #expect(text == #"{"execute":"a\",\"id\":9}\n{","id":1}"# + "\n")
  }

  @Test func `out-of-band commands are sent as such only where that is enabled`() throws {
    var session = try QMPSession.greeted()
    let before = session.send("migrate-pause", [:], outOfBand: true).bytes
    session.isOutOfBandEnabled = true
    let after = session.send("migrate-pause", [:], outOfBand: true).bytes
    #expect(String(decoding: before, as: UTF8.self).hasPrefix(#"{"execute":"#))
    #expect(String(decoding: after, as: UTF8.self).hasPrefix(#"{"exec-oob":"#))
  }

  // MARK: - The greeting

  @Test func `the greeting gives the version and the capabilities`() throws {
    var session = QMPSession()
    let action = try session.receive(QMPPeer.greeting)
    guard case .greeting(let greeting) = action else {
      Issue.record("\(action)")
      return
    }
    #expect(greeting.version.description == "7.2.22")
    #expect(greeting.version.package == "Debian 1:7.2+dfsg-7+deb12u18+b3")
    #expect(greeting.capabilities == ["oob"])
    #expect(session.greeting == greeting)
  }

  @Test func `objects before the greeting are passed over`() throws {
    var session = QMPSession()
    #expect(try session.receive(#"{"event": "VSERPORT_CHANGE", "data": {}}"#) == .ignored)
    #expect(try session.receive(#"{"return": {}, "id": 1}"#) == .ignored)
    #expect(session.greeting == nil)
    #expect(try session.receive(QMPPeer.greeting) != .ignored)
  }

  @Test(arguments: [#"{"QMP": {}}"#, #"{"QMP": {"version": {"qemu": {"major": "7"}}}}"#])
  func `a greeting without a usable version is an error`(line: String) {
    var session = QMPSession()
    #expect(throws: QMPError.notQMP(line: line)) { try session.receive(line) }
  }

  // MARK: - Replies

  @Test func `replies out of order go to their own commands`() throws {
    var session = try QMPSession.greeted()
    let first = session.send("query-status", [:]).id
    let second = session.send("query-name", [:]).id
    #expect(
      try session.receive(#"{"return": {"name": "b"}, "id": \#(second)}"#)
        == .reply(id: second, .success(["name": "b"])))
    #expect(
      try session.receive(#"{"id": \#(first), "return": {"status": "x"}}"#)
        == .reply(id: first, .success(["status": "x"])))
  }

  @Test func `a reply after the timeout is dropped, and answers no other command`() throws {
    var session = try QMPSession.greeted()
    let late = session.send("query-block", [:]).id
    session.abandon(late)
    let next = session.send("query-status", [:]).id
    #expect(try session.receive(#"{"return": [], "id": \#(late)}"#) == .ignored)
    #expect(
      try session.receive(#"{"return": {}, "id": \#(next)}"#) == .reply(id: next, .success([:])))
  }

  @Test(arguments: [
    #"{"return": {}, "id": 99}"#, #"{"return": {}, "id": "1"}"#, #"{"return": {}, "id": 1.0}"#,
    #"{"return": {}, "id": [1]}"#, #"{"return": {}}"#, #"{"return": {}, "id": null}"#,
    #"{"error": {"class": "GenericError", "desc": "x"}, "id": 99}"#, #"{"new": true}"#, "{}", "",
    "  ", "\t", #"{"event": 1}"#, QMPPeer.greeting,
  ])
  func `unknown ids and unknown messages are passed over`(line: String) throws {
    var session = try QMPSession.greeted()
    let id = session.send("query-status", [:]).id
    #expect(try session.receive(line) == .ignored)
    #expect(
      try session.receive(#"{"return": {}, "id": \#(id)}"#) == .reply(id: id, .success([:])))
  }

  @Test func `the same reply twice counts once`() throws {
    var session = try QMPSession.greeted()
    let line = #"{"return": {}, "id": \#(session.send("stop", [:]).id)}"#
    #expect(try session.receive(line) != .ignored)
    #expect(try session.receive(line) == .ignored)
  }

  // MARK: - Errors

  @Test func `an error keeps QEMU's class and description, and names the command`() throws {
    var session = try QMPSession.greeted()
    let id = session.send("query-nonsense", [:]).id
    let line =
      #"{"id": \#(id), "error": {"class": "CommandNotFound", "desc": "The command query-nonsense has not been found"}}"#
    #expect(
      try session.receive(line)
        == .reply(
          id: id,
          .failure(
            .refused(
              command: "query-nonsense", errorClass: "CommandNotFound",
              description: "The command query-nonsense has not been found"))))
  }

  private static let parseError =
    #"{"error": {"class": "GenericError", "desc": "JSON parse error, expecting value"}}"#

  @Test func `an error without an id belongs to the only command under way`() throws {
    var session = try QMPSession.greeted()
    let id = session.send("query-status", [:]).id
    #expect(
      try session.receive(Self.parseError)
        == .reply(
          id: id,
          .failure(
            .refused(
              command: "query-status", errorClass: "GenericError",
              description: "JSON parse error, expecting value"))))
  }

  @Test func `an error without an id fails both of two commands`() throws {
    var session = try QMPSession.greeted()
    #expect(throws: QMPError.notQMP(line: Self.parseError)) { try session.receive(Self.parseError) }
    _ = session.send("query-status", [:])
    _ = session.send("query-name", [:])
    #expect(throws: QMPError.notQMP(line: Self.parseError)) { try session.receive(Self.parseError) }
  }

  @Test func `an error without an id that may be an abandoned command's is not given to another`()
    throws
  {
    var session = try QMPSession.greeted()
    session.abandon(session.send("query-block", [:]).id)
    #expect(try session.receive(Self.parseError) == .ignored)
    session.abandon(session.send("query-block", [:]).id)
    _ = session.send("query-status", [:])
    #expect(throws: QMPError.notQMP(line: Self.parseError)) { try session.receive(Self.parseError) }
  }

  // MARK: - Events

  @Test func `an event has its name, its data and its time in microseconds`() throws {
    var session = try QMPSession.greeted()
    let line =
      #"{"timestamp": {"seconds": 1700000000, "microseconds": 250001}, "event": "SHUTDOWN", "data": {"guest": true, "reason": "guest-shutdown"}}"#
    #expect(
      try session.receive(line)
        == .event(
          QMPEvent(
            name: "SHUTDOWN", data: ["guest": true, "reason": "guest-shutdown"],
            timestamp: 1_700_000_000_250_001)))
  }

  @Test(arguments: [
    (#"{"event": "NEW_EVENT_OF_QEMU_12"}"#, QMPEvent(name: "NEW_EVENT_OF_QEMU_12")),
    (
      #"{"event": "STOP", "timestamp": {"seconds": -1, "microseconds": -1}}"#,
      QMPEvent(name: "STOP")
    ),
    (#"{"event": "RESET", "data": {"new": [1]}}"#, QMPEvent(name: "RESET", data: ["new": [1]])),
    (#"{"event": "Gr\u00fc\u00dfe \ud83d\ude80"}"#, QMPEvent(name: "Grüße 🚀")),
  ])
  func `unknown events, absent data and unknown times are no errors`(
    line: String, event: QMPEvent
  ) throws {
    var session = try QMPSession.greeted()
    #expect(try session.receive(line) == .event(event))
  }

  // MARK: - What is not QMP

  @Test(arguments: ["garbage", "[]", "1", "{", #"{"return": {}"#, "\u{FEFF}{}", "{} {}"])
  func `a line that is not an object fails the conversation`(line: String) throws {
    var session = try QMPSession.greeted()
    #expect(throws: QMPError.notQMP(line: line)) { try session.receive(line) }
  }

  @Test func `an error shows only the beginning of a long line`() throws {
    var session = QMPSession()
    let line = String(repeating: "x", count: 5000)
    #expect(throws: QMPError.notQMP(line: String(line.prefix(120)))) { try session.receive(line) }
  }
}
