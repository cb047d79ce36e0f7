import Foundation
import QMPClient
import Testing
import TestSupport

@Suite(.timeLimit(.minutes(1))) struct SnippetTests {
  @Test(
    arguments: [
      (
        #"<- {"event": "SHUTDOWN", "data": {"guest": true, "reason": "guest-shutdown"}}"#,
        .guestShutdown
      ),
      (
        #"<- {"event": "SHUTDOWN", "data": {"guest": false, "reason": "host-signal"}}"#, .hostSignal
      ),
      ("# Nothing: QEMU was killed.", nil),
    ] as [(String, ShutdownCause?)])
  func `the snippet waits until the guest has shut down`(
    last: String, reason: ShutdownCause?
  ) async throws {
    let transcript = try Transcript(
      parsing: """
        # qmp transcript 1
        <- \(QMPPeer.greeting)
        -> {"execute":"qmp_capabilities","id":1}
        <- {"return": {}, "id": 1}
        -> {"execute":"system_powerdown","id":2}
        <- {"event": "POWERDOWN"}
        <- {"return": {}, "id": 2}
        \(last)
        <- EOF

        """, name: "snippet.qmp")
    let replay = try QMPReplay(transcript)
    #expect(try await shutDown(monitor: replay.path) == reason)
    try await replay.finish()
  }

  @Test func `the README shows the snippet as it is compiled`() throws {
    let root = URL(fileURLWithPath: Fixture.folder).deletingLastPathComponent()
    let readme = try String(
      contentsOf: root.appendingPathComponent("Sources/QMPClient/README.md"), encoding: .utf8)
    let snippet = try String(
      contentsOf: root.appendingPathComponent(
        "Tests/QMPClientTests/Snippets/WaitForShutdown.swift"), encoding: .utf8)
    #expect(readme.contains("```swift\n\(snippet)```"))
  }
}
