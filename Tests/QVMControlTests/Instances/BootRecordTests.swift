import QMPClient
import TestSupport
import Testing

@testable import QVMControl

@Suite struct BootRecordTests {
  private static let text = """
    {"schema":1,"boot":"b","hostBootId":"h","startedAt":"2000-02-29T12:34:56Z",\
    "removeOnShutdown":true,"shutdownTimeout":120,"supervisorPid":41,\
    "supervisorStart":9007199254740993,\
    "command":["/bin/qemu","-S"],"consoleOffset":17,"isFirst":true,"runtimeFolder":"/r",\
    "pidNamespace":"pid:[1]","supervisorNamespace":"pid:[2]","lock":"1-2","pid":42,\
    "start":77,"accelerator":"tcg","qemuVersion":"7.2.22","sshAddress":"0.0.0.0","sshPort":2847,"blocksSignals":true}
    """
  private static let record = BootRecord(
    token: "b", hostBootID: "h", startedAt: Timestamp(seconds: 951_827_696),
    removeOnShutdown: true, shutdownTimeout: 120, supervisorPid: 41,
    supervisorStart: 9_007_199_254_740_993, pid: 42, start: 77, command: ["/bin/qemu", "-S"],
    accelerator: "tcg", qemuVersion: "7.2.22", sshAddress: "0.0.0.0", sshPort: 2847,
    consoleOffset: 17, runtimeFolder: "/r", pidNamespace: "pid:[1]", supervisorNamespace: "pid:[2]",
    lock: "1-2",
    isFirst: true, blocksSignals: true)

  private let folder: TemporaryFolder
  private var path: String { "\(folder.path)/boot.json" }

  init() throws { folder = try TemporaryFolder() }

  @Test func `the file's bytes are these, and they are read back, large numbers exactly`() throws {
    #expect(Self.record.json.text == Self.text)
    try Files.write(Array(Self.text.utf8), to: path)
    #expect(try BootRecord.read(path) == Self.record)
  }

  @Test func `before QEMU has started its members are absent`() throws {
    var record = Self.record
    (record.pid, record.start, record.accelerator) = (nil, nil, nil)
    (record.qemuVersion, record.sshAddress, record.sshPort) = (nil, nil, nil)
    (record.runtimeFolder, record.pidNamespace, record.supervisorNamespace) = (nil, nil, nil)
    (record.lock, record.blocksSignals) = (nil, false)
    let text = record.json.text
    #expect(text.hasSuffix("\"isFirst\":true}"))
    try JSONFile.write(record.json, to: path)
    #expect(try BootRecord.read(path) == record)
  }

  @Test func `a pid of another namespace means no process here`() {
    var record = Self.record
    record.hostBootID = Host.bootID
    record.pidNamespace = "pid:[1]"
    record.supervisorNamespace = Host.pidNamespace
    // No process has that pid and that start here.
    (record.pid, record.start) = (Host.processID, 1)
    #expect(record.mayLive)
    #expect(record.knownPid == nil)
    #expect(record.knownSupervisorPid == 41)
    record.pidNamespace = Host.pidNamespace
    record.supervisorNamespace = "pid:[1]"
    #expect(!record.mayLive)
    #expect(record.knownPid == Host.processID)
    #expect(record.knownSupervisorPid == nil)
  }

  @Test func `no file means never booted`() throws {
    #expect(try BootRecord.read(path) == nil)
  }

  @Test func `a file torn at any length is an error, never a record`() throws {
    for length in 0..<Self.text.utf8.count {
      try Files.write(Array(Self.text.utf8.prefix(length)), to: path)
      #expect(throws: JSONFileError.self) { try BootRecord.read(path) }
    }
  }

  @Test(arguments: [
    "boot", "hostBootId", "startedAt", "shutdownTimeout", "supervisorPid", "supervisorStart",
    "consoleOffset",
  ])
  func `a file without a member that it needs is damaged`(member: String) throws {
    var object = try #require(try JSONValue(parsing: Self.text).object)
    object[member] = .null
    try JSONFile.write(.object(object), to: path)
    #expect(throws: JSONFileError.missing(member: member, path: path)) {
      try BootRecord.read(path)
    }
  }

  @Test(arguments: ["[]", "null", "17", "\"x\"", "{} {}"])
  func `JSON that is no object is damaged`(text: String) throws {
    try Files.write(Array(text.utf8), to: path)
    #expect(throws: JSONFileError.self) { try BootRecord.read(path) }
  }

  @Test func `a file of a newer qvm is refused, one with further members is not`() throws {
    try Files.write(
      Array(Self.text.replacing("\"schema\":1", with: "\"schema\":7").utf8), to: path)
    #expect(throws: JSONFileError.futureSchema(7, path: path)) { try BootRecord.read(path) }
    try Files.write(
      Array(Self.text.replacing("\"pid\":42", with: "\"pid\":42,\"more\":[1]").utf8), to: path)
    #expect(try BootRecord.read(path) == Self.record)
  }

  @Test func `a boot knows where those before it begin, as long as something of them is kept`()
    throws
  {
    var last = Self.record
    (last.number, last.earlier, last.consoleOffset) = (4, [10, 50, 50], 80)
    var record = Self.record
    record.consoleOffset = 100
    record.follow(last, consoleCut: 0)
    #expect(record.earlier == [10, 50, 50, 80])
    #expect(record.number == 5)
    try JSONFile.write(record.json, to: path)
    #expect(try BootRecord.read(path) == record)
    // What was cut off the log is told by the place of what is left.
    record.consoleOffset = 30
    record.follow(last, consoleCut: 70)
    #expect(record.earlier == [-20, 10])
    record.consoleOffset = 0
    record.follow(last, consoleCut: 90)
    #expect(record.earlier == [])
    // Nor are all kept for ever.
    last.earlier = Array(0..<80)
    record.consoleOffset = 100
    record.follow(last, consoleCut: 0)
    #expect(record.earlier.count == BootRecord.mostEarlier)
    #expect(record.earlier.last == 80)
  }

  @Test func `numbers out of range do no harm`() throws {
    try Files.write(
      Array(Self.text.replacing("\"pid\":42", with: "\"pid\":99999999999").utf8), to: path)
    #expect(try BootRecord.read(path)?.pid == Int32.max)
  }
}
