import QMPClient
import TestSupport
import Testing

@testable import QVMControl

@Suite struct OutcomeTests {
  private static let full = Outcome(
    token: "0123456789abcdef", result: .forced, reason: "host-qmp-quit", rung: "quit",
    seconds: 1.23456, exitStatus: 0, endedAt: Timestamp(seconds: 951_827_696))
  private static let fullText = """
    {"schema":1,"boot":"0123456789abcdef","result":"forced","reason":"host-qmp-quit","rung":"quit",\
    "seconds":1.235,"exitStatus":0,"endedAt":"2000-02-29T12:34:56Z"}
    """
  private static let scant = Outcome(
    token: "t", result: .crashed, reason: "qemu-signal-9", signal: 9,
    endedAt: Timestamp(seconds: 0))
  private static let scantText = """
    {"schema":1,"boot":"t","result":"crashed","reason":"qemu-signal-9","signal":9,\
    "endedAt":"1970-01-01T00:00:00Z"}
    """

  @Test func `the file's bytes are these, and what is not known is absent`() {
    #expect(Self.full.json.text == Self.fullText)
    #expect(Self.scant.json.text == Self.scantText)
  }

  @Test func `what was written is read`() throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/outcome.json"
    try Files.write(Array(Self.scantText.utf8), to: path)
    #expect(try Outcome.read(path) == Self.scant)
    try Files.write(Array(Self.fullText.utf8), to: path)
    let read = try #require(try Outcome.read(path))
    #expect(read.seconds == 1.235)
    #expect(read.rung == "quit")
    #expect(read.exitStatus == 0)
  }

  @Test func `whole seconds are read as well`() throws {
    let json = try JSONValue(parsing: Self.fullText.replacing("1.235", with: "2"))
    #expect(try Outcome(json, "x").seconds == 2)
  }

  @Test func `no file is no outcome`() throws {
    #expect(try Outcome.read("/nonexistent/outcome.json") == nil)
  }

  @Test func `a file torn at any length is an error with its path, never an outcome`() throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/outcome.json"
    for length in 0..<Self.fullText.utf8.count {
      try Files.write(Array(Self.fullText.utf8.prefix(length)), to: path)
      let error = #expect(throws: JSONFileError.self) { try Outcome.read(path) }
      #expect(error?.message.contains(path) == true)
    }
  }

  @Test func `a file of a newer qvm is refused`() throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/outcome.json"
    try Files.write(
      Array(Self.fullText.replacing("\"schema\":1", with: "\"schema\":2").utf8), to: path)
    #expect(throws: JSONFileError.futureSchema(2, path: path)) { try Outcome.read(path) }
  }

  @Test(arguments: ["schema", "boot", "result", "reason", "endedAt"])
  func `a file without a member that it needs is damaged`(member: String) throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/outcome.json"
    var object = try #require(try JSONValue(parsing: Self.fullText).object)
    object[member] = nil
    try JSONFile.write(.object(object), to: path)
    #expect(throws: JSONFileError.missing(member: member, path: path)) { try Outcome.read(path) }
  }

  @Test(arguments: [
    (Outcome.Ending.clean, Phase.stopped), (.forced, .stopped), (.unknown, .stopped),
    (.crashed, .crashed), (.failedToStart, .crashed), (.reset, .stopped),
  ])
  func `an outcome leaves the instance in a phase`(result: Outcome.Ending, phase: Phase) {
    #expect(Outcome(token: "t", result: result, reason: "r").phase == phase)
  }

  @Test(arguments: [
    (Phase.starting, true), (.running, true), (.paused, true),
    (.stopping, true), (.stopped, false), (.crashed, false), (.orphaned, true),
    (.unresponsive, true), (.broken, false),
  ])
  func `a phase tells whether a process lives`(phase: Phase, isAlive: Bool) {
    #expect(phase.isAlive == isAlive)
  }

  @Test(arguments: [
    (Outcome.Ending.clean, "guest-shutdown", 1.25 as Double?, "vm powered off (1.3 s)"),
    (.clean, "guest-shutdown", nil, "vm powered off"),
    (.forced, "host-qmp-quit", 0.04, "vm was forced to stop: QEMU was told to quit (0.0 s)"),
    (.unknown, "why", nil, "vm has ended (cause unknown)"),
  ])
  func `an orderly end is one line`(
    result: Outcome.Ending, reason: String, seconds: Double?, text: String
  ) {
    let outcome = Outcome(
      token: "t", result: result, reason: reason, seconds: seconds, exitStatus: 0)
    #expect(outcome.sentence("vm", disk: "/d") == text)
    #expect(outcome.sentence("vm", disk: nil) == text + ", and the instance was removed")
  }

  @Test func `after a crash the message says where the disk is`() {
    #expect(
      Self.scant.sentence("vm", disk: "/d/disk.qcow2")
        == "vm crashed: QEMU was ended by SIGKILL\nits disk is kept: /d/disk.qcow2")
    let reset = Outcome(token: "t", result: .reset, reason: "guest-reset", exitStatus: 0)
    #expect(
      reset.sentence("vm", disk: "/d")
        == "vm was reset, and QEMU exited instead of restarting it: the guest reset itself\n"
        + "its disk is kept: /d")
  }

  @Test(arguments: [
    ("host-qmp-quit", "QEMU was told to quit"), ("qemu-signal-9", "QEMU was ended by SIGKILL"),
    ("qemu-signal-11", "QEMU was ended by signal 11"), ("qemu-exit-1", "QEMU exited with status 1"),
    ("qemu-signal-", "qemu-signal-"), ("host-reboot", "the host was restarted"),
    ("something-new", "something-new"), ("no such file", "no such file"),
  ])
  func `people read words for a reason`(reason: String, words: String) {
    #expect(Outcome.text(forReason: reason) == words)
  }
}
