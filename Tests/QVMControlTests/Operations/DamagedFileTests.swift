import QMPClient
import TestSupport
import Testing

@testable import QVMControl

/// Files of an instance that are torn, empty, from a newer qvm, or something else altogether.
@Suite struct DamagedFileTests {
  private let temporary: TemporaryStore
  private var store: InstanceStore { temporary.store }
  private let good: InstanceName

  init() throws {
    temporary = try TemporaryStore()
    good = try InstanceName("good")
    try make(good)
  }

  static let names = ["instance.json", "boot.json", "outcome.json"]

  /// Makes an instance that was booted and has ended.
  private func make(_ name: InstanceName) throws {
    let files = try temporary.make(
      name, options: ["shutdownTimeout": 120, "cpus": 2, "sshPort": 2222])
    let boot = BootRecord(
      token: "this", hostBootID: Host.bootID, startedAt: Timestamp(seconds: 0),
      removeOnShutdown: false, shutdownTimeout: 120, supervisorPid: 999_999_998,
      supervisorStart: 1, pid: 999_999_999, start: 1, command: ["qemu", "-S"],
      accelerator: "tcg", qemuVersion: "7.2.0", sshAddress: "127.0.0.1", sshPort: 2847,
      consoleOffset: 0, runtimeFolder: "\(temporary.folder.path)/run/hash", isFirst: false)
    try write(boot.json, to: files.boot)
    let outcome = Outcome(
      token: "this", result: .forced, reason: "host-qmp-quit", rung: "quit", seconds: 1.5,
      exitStatus: 0, signal: nil)
    try write(outcome.json, to: files.outcome)
  }

  /// Without waiting for the disk, which thousands of files would have to.
  private func write(_ json: JSONValue, to path: String) throws {
    try write(json.bytes + [0x0A], path)
  }

  private func write(_ bytes: [UInt8], _ path: String) throws {
    let file = try Files.openForOutput(path, append: false)
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = Files.writeSome(rest, to: file.number)
      rest = rest.dropFirst(try #require(count > 0 ? count : nil))
    }
  }

  /// Every instance's phase; and no other is touched by what is wrong with one.
  private func phases() throws -> [String: Phase] {
    let all = try VMStatus.all(in: store)
    #expect(all.first { $0.name == "good" }?.phase == .stopped)
    return Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0.phase) })
  }

  @Test(arguments: names)
  func `a file that is cut at any length breaks its own instance, which can be removed`(
    file: String
  ) throws {
    let whole = try Files.read("\(store.files(good).folder)/\(file)")
    var names: [InstanceName] = []
    // Without its last byte, the end of the line, it is whole.
    for length in 0..<whole.count - 1 {
      let name = try InstanceName("cut-\(length)")
      try make(name)
      try write(Array(whole[..<length]), "\(store.files(name).folder)/\(file)")
      names.append(name)
    }
    let phases = try phases()
    #expect(phases.count == names.count + 1)
    for name in names {
      #expect(phases[name.text] == .broken, "\(name)")
    }
    let last = try #require(names.last)
    for name in [names[0], names[names.count / 2], last] {
      try store.remove(name)
      #expect(!store.exists(name))
    }
  }

  @Test(
    arguments: names,
    [
      "\u{0}\u{1}\u{2}", "\u{FEFF}{}", "[]", "{}", "null", "\"{}\"", "{\"schema\":99}",
      "{\"schema\":\"1\"}", "{\"schema\":9223372036854775807}", "{\"schema\":1e400}",
    ])
  func `a file that says something else breaks its own instance, and says what to do`(
    file: String, text: String
  ) throws {
    let bad = try InstanceName("bad")
    try make(bad)
    try Files.write(Array(text.utf8), to: "\(store.files(bad).folder)/\(file)")
    #expect(try phases()["bad"] == .broken)
    let status = try VMStatus.inspect(bad, in: store)
    #expect(status.reason?.contains("\(store.files(bad).folder)/\(file)") == true)
    try store.remove(bad)
  }

  @Test(arguments: names)
  func `bytes that are no text, and a folder in the place of a file, break their own instance`(
    file: String
  ) throws {
    let bad = try InstanceName("bad")
    try make(bad)
    let path = "\(store.files(bad).folder)/\(file)"
    try Files.write((0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 167) }, to: path)
    #expect(try phases()["bad"] == .broken)
    try Files.remove(path)
    try Files.makeFolder("\(path)/deep")
    #expect(try phases()["bad"] == .broken)
    #expect(Reconciliation.reconcile(bad, in: store) == .settled)
    try store.remove(bad)
    #expect(!store.exists(bad))
  }

  @Test func `a boot that a newer qvm wrote is not booted over`() throws {
    let bad = try InstanceName("bad")
    try make(bad)
    let newer = Array("{\"schema\":2}".utf8)
    try Files.write(newer, to: store.files(bad).boot)
    let error = #expect(throws: InstanceError.self) { try store.lock(bad, to: "start") }
    #expect(error?.message.contains("from a newer qvm") == true)
    #expect(try Files.read(store.files(bad).boot) == newer)
  }

  /// Values that no qvm writes.
  static let extremes: [JSONValue] = [
    .integer(.max), .integer(.min), .integer(-1), .integer(0), .unsigned(.max), .double(1e308),
    .double(-0.5), .null, .bool(true), "", "text", [], [:],
  ]

  @Test(arguments: names)
  func `no value of any member is more than its instance can bear`(file: String) throws {
    let path = "\(store.files(good).folder)/\(file)"
    let object = try #require(try JSONFile.read(path)?.object)
    let odd = try InstanceName("odd")
    for member in object.members.map(\.name) {
      for value in Self.extremes {
        try make(odd)
        var changed = object
        changed[member] = value
        try write(.object(changed), to: "\(store.files(odd).folder)/\(file)")
        // It may also be removed: the files may say just that.
        #expect(try [1, 2].contains(phases().count), "\(member): \(value)")
        if let status = try? VMStatus.inspect(odd, in: store) { _ = status.json.members }
        _ = try? Launch(existing: odd, in: store, accelerators: nil).dryRun()
        _ = Reconciliation.reconcile(odd, in: store)
        // Every outcome can be told in words.
        if let outcome = try? Outcome.read(store.files(odd).outcome) {
          #expect(!outcome.sentence("odd", disk: nil).isEmpty)
        }
        // Not by a removal proper, which waits for the disk.
        try Files.removeTree(store.files(odd).folder)
      }
    }
  }

  @Test func `no option of a record is more than its instance can bear`() throws {
    let odd = try InstanceName("odd")
    for member in ["shutdownTimeout", "cpus", "sshPort", "memory", "extraArguments"] {
      for value in Self.extremes {
        try make(odd)
        let path = store.files(odd).record
        var object = try #require(try JSONFile.read(path)?.object)
        object["options"] = .object([member: value])
        try write(.object(object), to: path)
        if let launch = try? Launch(existing: odd, in: store, accelerators: nil) {
          #expect(throws: Never.self, "\(value)") {
            try RunOptionValidation.timeout(launch.shutdownTimeout)
          }
        }
      }
    }
  }
}
