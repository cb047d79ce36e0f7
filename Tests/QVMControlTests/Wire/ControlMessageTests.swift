import QMPClient
import Testing

@testable import QVMControl

@Suite struct ControlMessageTests {
  @Test(arguments: [
    (ControlRequest.status, #"{"request":"status"}"#),
    (.subscribe, #"{"request":"subscribe"}"#),
    (.proceed, #"{"request":"continue"}"#),
    (.resume, #"{"request":"resume"}"#),
    (.detach, #"{"request":"detach"}"#),
    (.console, #"{"request":"console"}"#),
    (.ready, #"{"request":"ready"}"#),
    (
      .publish(PublishedPort(.udp, "0.0.0.0", 0, to: 53)),
      #"{"request":"publish","port":{"protocol":"udp","address":"0.0.0.0","port":0,"guestPort":53}}"#
    ),
    (
      .unpublish(PublishedPort(.tcp, "127.0.0.1", 8080, to: 80, isChosen: true)),
      #"{"request":"unpublish","port":{"protocol":"tcp","address":"127.0.0.1","port":8080,"#
        + #""guestPort":80,"chosen":true}}"#
    ),
    (.stop(.powerButton, timeout: nil), #"{"request":"stop","rung":"powerdown"}"#),
    (.stop(.quit, timeout: 5), #"{"request":"stop","rung":"quit","timeout":5}"#),
    (.stop(.terminate, timeout: 0), #"{"request":"stop","rung":"sigterm","timeout":0}"#),
    (.stop(.kill, timeout: nil), #"{"request":"stop","rung":"sigkill"}"#),
  ])
  func `a request is this line, and the line is that request`(
    request: ControlRequest, line: String
  ) throws {
    #expect(request.json.text == line)
    #expect(ControlRequest(try JSONValue(parsing: line)) == request)
  }

  @Test(arguments: [
    "{}", "[]", "null", #"{"request":null}"#, #"{"request":"dance"}"#, #"{"request":"stop"}"#,
    #"{"request":"stop","rung":"gently"}"#, #"{"request":"stop","rung":1}"#, #""status""#,
    #"{"request":"publish"}"#,
    #"{"request":"unpublish","port":{"protocol":"tcp","address":"1","port":1,"guestPort":1}}"#,
    #"{"request":"publish","port":{"protocol":"tcp","address":"1.1.1.1","port":1,"guestPort":65536}}"#,
    #"{"request":"publish","port":{"protocol":"x","address":"1.1.1.1","port":1,"guestPort":6}}"#,
  ])
  func `what isn't known is no request`(line: String) throws {
    #expect(ControlRequest(try JSONValue(parsing: line)) == nil)
  }

  static let events: [(ControlEvent, String)] = [
    (.notice("a \"b\"\n"), #"{"event":"notice","text":"a \"b\"\n"}"#),
    (.created, #"{"event":"created"}"#),
    (.phase(.running, reason: nil), #"{"event":"phase","phase":"running"}"#),
    (
      .phase(.paused, reason: "io-error"),
      #"{"event":"phase","phase":"paused","reason":"io-error"}"#
    ),
    (
      .running(sshAddress: nil, sshPort: nil, accelerator: "tcg"),
      #"{"event":"running","accelerator":"tcg"}"#
    ),
    (
      .running(sshAddress: "0.0.0.0", sshPort: 2847, accelerator: "kvm"),
      #"{"event":"running","accelerator":"kvm","sshAddress":"0.0.0.0","sshPort":2847}"#
    ),
    (.rung("powerdown", presses: 3), #"{"event":"rung","rung":"powerdown","presses":3}"#),
    (
      .failed(message: "m", advice: nil, status: 130),
      #"{"event":"failed","message":"m","status":130}"#
    ),
    (
      .failed(message: "m", advice: "a", status: 1),
      #"{"event":"failed","message":"m","status":1,"advice":"a"}"#
    ),
    (
      .ended(
        Outcome(
          token: "t", result: .clean, reason: "guest-shutdown", exitStatus: 0,
          endedAt: Timestamp(seconds: 0)), removed: true),
      #"{"event":"ended","outcome":{"schema":1,"boot":"t","result":"clean","#
        + #""reason":"guest-shutdown","exitStatus":0,"endedAt":"1970-01-01T00:00:00Z"},"#
        + #""removed":true}"#
    ),
  ]

  @Test(arguments: events) func `an event is this line, and the line is that event`(
    event: ControlEvent, line: String
  ) throws {
    #expect(event.json.text == line)
    #expect(ControlEvent(try JSONValue(parsing: line)) == event)
  }

  @Test(arguments: [
    "{}", "[]", #"{"event":"party"}"#, #"{"event":"phase"}"#, #"{"event":"phase","phase":"odd"}"#,
    #"{"event":"ended"}"#, #"{"event":"ended","outcome":{"result":"clean"}}"#,
    #"{"status":{"phase":"running"}}"#,
  ])
  func `what isn't known is no event`(line: String) throws {
    #expect(ControlEvent(try JSONValue(parsing: line)) == nil)
  }

  @Test func `an exit status out of range does no harm`() throws {
    let line = #"{"event":"failed","message":"m","status":99999999999}"#
    #expect(
      ControlEvent(try JSONValue(parsing: line))
        == .failed(message: "m", advice: nil, status: .max))
  }
}
