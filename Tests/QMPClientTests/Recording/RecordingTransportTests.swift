import Foundation
import Testing
import TestSupport

@testable import QMPClient

@Suite(.timeLimit(.minutes(1))) struct RecordingTransportTests {
  @Test(arguments: QMPReplay.Manner.allCases)
  func `a recording of a replay is the transcript that was replayed`(
    manner: QMPReplay.Manner
  ) async throws {
    let folder = try TemporaryFolder()
    let original = try Fixture.text("QMP/7.2/powerdown.qmp")
    let replay = try QMPReplay(try Transcript(parsing: original, name: "powerdown.qmp"), manner)
    let transcript = try Transcript(parsing: original, name: "powerdown.qmp")
    let recorder = try QMPRecorder(
      path: folder.path + "/a.qmp",
      comments: transcript.comments.filter { !$0.hasPrefix("QEMU") })
    let transport = RecordingTransport(
      wrapping: try SocketTransport(path: replay.path), to: recorder)
    let scenario = try #require(QMPScenario.all.first { $0.name == "powerdown" })
    try await scenario.talk(OneTransport(transport: transport))
    try await replay.finish()
    #expect(recorder.failure == nil)
    #expect(try String(contentsOfFile: folder.path + "/a.qmp", encoding: .utf8) == original)
  }

  private struct OneTransport: QMPScenarioHost {
    let transport: any QMPTransport
    let timeout: Duration = .milliseconds(10)
    func transport(to monitor: String) -> any QMPTransport { transport }
    func awaitConsole(_ text: String) {}
    func terminate() {}
    func makeRoom() {}
  }

  @Test func `each line is on file before the next one passes`() async throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/a.qmp"
    let server = try QMPScriptedServer { peer throws in
      try peer.negotiate()
      try peer.expect("stop")
      try peer.receiveUntilEnd()
    }
    let recorder = try QMPRecorder(path: path)
    let transport = RecordingTransport(wrapping: server.transport, to: recorder)
    try await QMPClient.withConnection(over: transport) { client async throws in
      try await client.execute(Stop())
      let text = try String(contentsOfFile: path, encoding: .utf8)
      #expect(
        text.hasSuffix("-> {\"execute\":\"stop\",\"id\":2}\n<- {\"return\": {}, \"id\": 2}\n"))
    }
    try await server.finish()
    #expect(try String(contentsOfFile: path, encoding: .utf8).hasSuffix("-> EOF\n"))
    let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    #expect(mode == 0o600)
  }

  @Test func `both directions are scrubbed before they are on file`() async throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/a.qmp"
    let server = try QMPScriptedServer { peer throws in
      try peer.negotiate()
      let command = try peer.receive("screendump")
      try peer.send(
        #"{"timestamp": {"seconds": 1700000000, "microseconds": 1}, "event": "RTC_CHANGE"}"#)
      try peer.answer(command)
    }
    let transport = RecordingTransport(
      wrapping: server.transport, to: try QMPRecorder(path: path))
    try await QMPClient.withConnection(over: transport) { client in
      try await client.execute(Screendump(filename: "/home/me/screen.ppm"))
    }
    try await server.finish()
    let text = try String(contentsOfFile: path, encoding: .utf8)
    #expect(text.contains(#""filename":"/scrubbed/screen.ppm""#))
    #expect(text.contains(#"{"seconds": 0, "microseconds": 0}"#))
    #expect(!text.contains("/home/me") && !text.contains("1700000000"))
  }

  @Test func `a file that can't be written ends the recording, not the conversation`() async throws
  {
    let server = try QMPScriptedServer { peer throws in
      try peer.negotiate()
      try peer.expect("query-status", ["running": true, "status": "running"])
      try peer.receiveUntilEnd()
    }
    let folder = try TemporaryFolder()
    let path = folder.path + "/a.qmp"
    let file = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
    let recorder = try QMPRecorder(TranscriptFile(Descriptor(owning: file)))
    // From here on the same number is a file that can only be read.
    let readOnly = open("/dev/null", O_RDONLY | O_CLOEXEC)
    #expect(dup2(readOnly, file) == file)
    close(readOnly)

    let transport = RecordingTransport(wrapping: server.transport, to: recorder)
    try await QMPClient.withConnection(over: transport) { client async throws in
      #expect(try await client.execute(QueryStatus()).running)
    }
    try await server.finish()
    #expect(recorder.failure == .file(SystemError(call: "write", code: EBADF)))
    #expect(try String(contentsOfFile: path, encoding: .utf8) == Transcript.header + "\n")
  }

  @Test func `a line that is too long ends the recording, not the conversation`() async throws {
    let folder = try TemporaryFolder()
    let recorder = try QMPRecorder(path: folder.path + "/a.qmp")
    let piece = [UInt8](repeating: 0x20, count: 1 << 20)
    for _ in 0...16 { recorder.received(piece) }
    #expect(recorder.failure == .lineTooLong(limit: QMPClient.longestLine))
    recorder.sent([0x0A])
    #expect(
      try String(contentsOfFile: folder.path + "/a.qmp", encoding: .utf8)
        == Transcript.header + "\n")
  }

  @Test func `a path where no file can be is an error at once`() {
    #expect {
      _ = try QMPRecorder(path: "/nowhere/a.qmp")
    } throws: { ($0 as? SystemError)?.call == "open" }
  }
}
