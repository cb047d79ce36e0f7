import QMPClient
import TestSupport
import Testing

@testable import QVMControl

/// What a command finds when it comes after a supervisor that was killed.
@Suite struct ReconciliationTests {
  private let temporary: TemporaryStore
  private var store: InstanceStore { temporary.store }
  private let name: InstanceName
  private let files: InstanceFiles

  init() throws {
    temporary = try TemporaryStore()
    name = try InstanceName("vm")
    files = try temporary.make(name)
  }

  private func boot(
    removes: Bool, hostBootID: String = Host.bootID, pid: Int32? = 999_999_999,
    accelerator: String? = "tcg", isFirst: Bool = false, token: String = "this"
  ) throws {
    let record = BootRecord(
      token: token, hostBootID: hostBootID, startedAt: Timestamp(seconds: 0),
      removeOnShutdown: removes, shutdownTimeout: 120, supervisorPid: 999_999_998,
      supervisorStart: 1, pid: pid, start: pid.map { _ in 1 }, command: [],
      accelerator: accelerator, consoleOffset: 0,
      runtimeFolder: "\(temporary.folder.path)/run/hash",
      isFirst: isFirst)
    try JSONFile.write(record.json, to: files.boot)
    try record.runtime(files).prepare(forBoot: "0123456789abcdef")
  }

  private func outcome() throws -> String? {
    try Outcome.read(files.outcome).map { "\($0.result): \($0.reason)" }
  }

  @Test func `a QEMU that was killed has crashed, and its disk is kept even with rm`() throws {
    try boot(removes: true)
    try Files.write([], to: files.qemuPid)
    #expect(Reconciliation.reconcile(name, in: store) == .settled)
    #expect(try outcome() == "crashed: qemu-killed")
    #expect(store.exists(name))
    #expect(!Files.exists("\(temporary.folder.path)/run/hash"))
  }

  @Test func `one that ended in an orderly way is settled, and removed where that was asked for`()
    throws
  {
    try boot(removes: false)
    #expect(Reconciliation.reconcile(name, in: store) == .settled)
    #expect(try outcome() == "unknown: unobserved")
    try Files.remove(files.outcome)
    try boot(removes: true)
    #expect(Reconciliation.reconcile(name, in: store) == .removed)
    #expect(!store.exists(name))
    #expect(Files.list(store.cache.instances) == [])
  }

  @Test func `a copy of one that ran is as after a power cut, and kept`() throws {
    try boot(removes: true)
    var record = try #require(try BootRecord.read(files.boot))
    record.lock = "1-1"
    try JSONFile.write(record.json, to: files.boot)
    #expect(Reconciliation.reconcile(name, in: store) == .settled)
    #expect(try outcome() == "crashed: copied-while-running")
    #expect(store.exists(name))
  }

  @Test func `after a restart of the host nothing is believed, and nothing removed`() throws {
    try boot(removes: true, hostBootID: "another")
    #expect(Reconciliation.reconcile(name, in: store) == .settled)
    #expect(try outcome() == "crashed: host-reboot")
    #expect(store.exists(name))
  }

  @Test func `a supervisor that was killed before QEMU started leaves a failed start`() throws {
    for pid in [nil, 999_999_999] as [Int32?] {
      try boot(removes: true, pid: pid, accelerator: nil)
      #expect(Reconciliation.reconcile(name, in: store) == .settled)
      #expect(try outcome()?.hasPrefix("failedToStart: ") == true)
      // Without a greeting the missing pid file proves nothing, and the disk is an old one.
      #expect(store.exists(name))
      try Files.remove(files.outcome)
    }
  }

  @Test func `a disk that was made for a start that came to nothing is removed with rm`() throws {
    try boot(removes: true, pid: nil, accelerator: nil, isFirst: true)
    #expect(Reconciliation.reconcile(name, in: store) == .removed)
    try Files.makeFolder(files.folder)
    try Files.write([], to: files.vmLock)
    try boot(removes: false, pid: nil, accelerator: nil, isFirst: true)
    #expect(Reconciliation.reconcile(name, in: store) == .settled)
  }

  @Test func `the holder of the supervisor's lock finishes it`() throws {
    try boot(removes: true)
    let lock = try #require(try FileLock.attempt(files.supervisorLock))
    #expect(Reconciliation.reconcile(name, in: store) == .busy)
    #expect(throws: InstanceError.busy(name: "vm", doing: "remove")) { try store.remove(name) }
    #expect(try VMStatus.inspect(name, in: store).phase == .stopping)
    #expect(store.exists(name))
    withExtendedLifetime(lock) {}
  }

  @Test func `what a supervisor has recorded stands`() throws {
    try boot(removes: true)
    let crashed = Outcome(token: "this", result: .crashed, reason: "guest-panic", exitStatus: 0)
    try JSONFile.write(crashed.json, to: files.outcome)
    #expect(Reconciliation.reconcile(name, in: store) == .settled)
    #expect(try outcome() == "crashed: guest-panic")
    let clean = Outcome(token: "this", result: .clean, reason: "guest-shutdown", exitStatus: 0)
    try JSONFile.write(clean.json, to: files.outcome)
    #expect(Reconciliation.reconcile(name, in: store) == .removed)
  }

  @Test func `the outcome of an earlier boot says nothing of this one`() throws {
    try boot(removes: true)
    try Files.write([], to: files.qemuPid)
    let earlier = Outcome(token: "earlier", result: .clean, reason: "guest-shutdown", exitStatus: 0)
    try JSONFile.write(earlier.json, to: files.outcome)
    #expect(Reconciliation.reconcile(name, in: store) == .settled)
    #expect(try outcome() == "crashed: qemu-killed")
  }

  @Test func `an outcome of a newer qvm is left as it is, and nothing is removed for it`() throws {
    try boot(removes: true)
    let newer = #"{"schema":2,"boot":"this","how":"badly"}"#
    try Files.write(Array(newer.utf8), to: files.outcome)
    #expect(Reconciliation.reconcile(name, in: store) == .settled)
    #expect(Files.text(files.outcome) == newer)
    #expect(store.exists(name))
  }

  @Test func `an outcome that the disk did not take is found where it was kept`() throws {
    let token = Randomness.hexadecimal(bytes: 8)
    try boot(removes: false, token: token)
    // As after a SIGKILL, if nothing more were known.
    try Files.write([], to: files.qemuPid)
    let kept = Outcome(token: token, result: .clean, reason: "guest-shutdown", exitStatus: 0)
    try KeptOutcome.write(kept, of: files)
    #expect(KeptOutcome.read(boot: "earlier", of: files) == nil)
    #expect(Reconciliation.reconcile(name, in: store) == .settled)
    #expect(try outcome() == "clean: guest-shutdown")
    #expect(KeptOutcome.read(boot: token, of: files) == nil)
  }

  @Test func `an outcome that can't be written is reported all the same, and nothing is removed`()
    throws
  {
    try boot(removes: true)
    try Files.write([], to: files.qemuPid)
    // What stands for a full disk: no file can take that name.
    try Files.makeFolder("\(files.outcome)/in-the-way")
    #expect(Reconciliation.reconcile(name, in: store) == .settled)
    #expect(store.exists(name))
    #expect(Files.exists("\(temporary.folder.path)/run/hash"))
  }

  @Test func `a living VM is left alone`() throws {
    try boot(removes: true)
    let lock = try #require(try FileLock.attempt(files.vmLock))
    #expect(Reconciliation.reconcile(name, in: store) == .busy)
    #expect(try outcome() == nil)
    withExtendedLifetime(lock) {}
  }

  @Test func `one that was never booted has nothing to finish`() throws {
    #expect(Reconciliation.reconcile(name, in: store) == .settled)
    #expect(try outcome() == nil)
  }

  // MARK: - What status says of it

  @Test func `one that was never booted is stopped`() throws {
    let status = try VMStatus.inspect(name, in: store)
    #expect(status.phase == .stopped)
    #expect(status.reason == "never booted")
    #expect(status.ssh == nil)
  }

  @Test func `the first command that looks finishes it, and shows how it went`() throws {
    try boot(removes: true)
    try Files.write([], to: files.qemuPid)
    let status = try VMStatus.inspect(name, in: store)
    #expect(status.phase == .crashed)
    #expect(status.reason == "qemu-killed")
    #expect(try outcome() == "crashed: qemu-killed")
  }

  @Test func `one that is removed by looking at it is not there`() throws {
    try boot(removes: true)
    #expect(throws: InstanceError.noSuch(name: "vm")) { try VMStatus.inspect(name, in: store) }
    #expect(!store.exists(name))
  }

  @Test func `a torn file breaks its own instance and hides no other`() throws {
    let other = try InstanceName("other")
    try Files.makeFolder(store.files(other).folder)
    try Files.write(Array("{\"schema\":1,".utf8), to: store.files(other).record)
    let all = try VMStatus.all(in: store)
    #expect(all.map(\.name) == ["other", "vm"])
    #expect(all.map(\.phase) == [.broken, .stopped])
    #expect(all.first?.reason?.contains(store.files(other).record) == true)
  }

  @Test func `the JSON of one that has ended has these members`() throws {
    try boot(removes: false)
    let clean = Outcome(
      token: "this", result: .clean, reason: "guest-shutdown", rung: "powerdown", seconds: 1.5,
      exitStatus: 0, endedAt: Timestamp(seconds: 60))
    try JSONFile.write(clean.json, to: files.outcome)
    let text = JSONValue.object(try VMStatus.inspect(name, in: store).json).text
    #expect(
      text == #"{"name":"vm","os":"demo","version":"1","platform":"x86-64","#
        + #""createdAt":"1970-01-01T00:00:00Z","phase":"stopped","reason":"clean","#
        + #""removeOnShutdown":false,"lastOutcome":{"result":"clean","reason":"guest-shutdown","#
        + #""rung":"powerdown","seconds":1.5,"exitStatus":0,"endedAt":"1970-01-01T00:01:00Z"},"#
        + #""paths":{"disk":"\#(files.disk)","console":"\#(files.console)","#
        + #""qemuLog":"\#(files.qemuLog)"}}"#)
  }
}
