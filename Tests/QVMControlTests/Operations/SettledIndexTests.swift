import Foundation
import QMPClient
import TestSupport
import Testing

@testable import QVMControl

/// The list of many instances, with and without what was found of them before.
@Suite(.timeLimit(.minutes(2))) struct SettledIndexTests {
  private let temporary: TemporaryStore
  private var store: InstanceStore { temporary.store }
  private var index: String { "\(store.cache.path)/settled.index" }

  init() throws { temporary = try TemporaryStore() }

  private func files(_ number: Int) throws -> InstanceFiles {
    store.files(try InstanceName("vm-\(100 + number)"))
  }

  /// Makes an instance whose VM was forced to end, some time ago.
  private func make(_ number: Int) throws {
    let files = try temporary.make(try InstanceName("vm-\(100 + number)"))
    let boot = BootRecord(
      token: "this", hostBootID: "h", startedAt: Timestamp(seconds: 0), removeOnShutdown: false,
      shutdownTimeout: 120, supervisorPid: 999_999_998, supervisorStart: 1, command: [],
      consoleOffset: 0, isFirst: false)
    let outcome = Outcome(token: "this", result: .forced, reason: "host-qmp-quit")
    for (path, json) in [(files.boot, boot.json), (files.outcome, outcome.json)] {
      try write(json.bytes, path)
    }
    try write([UInt8](repeating: 7, count: 4096), files.disk)
    try age(number)
  }

  /// Puts a file in its place as qvm does, but for waiting for the disk.
  private func write(_ bytes: [UInt8], _ path: String) throws {
    try Data(bytes).write(to: URL(filePath: path + ".new"))
    try Files.rename(path + ".new", to: path, isLasting: false)
  }

  /// Sets the time of an instance's folder, as of all that change a file of it: nothing but what
  /// no program can set tells that it changed.
  private func age(_ number: Int, to date: Date = Date(timeIntervalSince1970: 1_700_000_000)) throws
  {
    try FileManager.default.setAttributes(
      [.modificationDate: date], ofItemAtPath: try files(number).folder)
  }

  private func list() throws -> [InstanceSummary] {
    var all: [InstanceSummary] = []
    try InstanceSummary.forEach(in: store) { all.append($0) }
    return all
  }

  private func stamp() -> FileStamp? { Files.information(index).map { FileStamp($0) } }

  @Test func `a list of many is written down, and read back the same`() throws {
    for number in 0..<80 { try make(number) }
    let first = try list()
    #expect(first.count == 80)
    #expect(first.allSatisfy { $0.phase == .stopped && $0.reason == "forced" })
    let written = try #require(stamp())
    #expect(try list() == first)
    #expect(stamp() == written)
    #expect(Files.information(index)?.mode == 0o600)
  }

  @Test func `few are looked at each time, and nothing is written`() throws {
    for number in 0..<20 { try make(number) }
    #expect(try list().count == 20)
    #expect(!Files.exists(index))
  }

  @Test func `what changed since is seen, whatever it is`() throws {
    for number in 0..<80 { try make(number) }
    let before = try list()
    // Another one of the same length.
    let outcome = try files(1).outcome
    let text = try #require(Files.text(outcome))
    try write(Array(text.replacing("forced", with: "forcef").utf8), outcome)
    // Torn.
    try write(Array("{\"schema\":1,".utf8), try files(2).record)
    // Removed, and another one in its place.
    try Files.remove(try files(3).outcome)
    try Files.removeTree(try files(4).folder)
    try make(90)
    // Booted and ended again, in the way that it ended before.
    let boot = try #require(try BootRecord.read(try files(6).boot))
    try write(
      Outcome(token: boot.token, result: .clean, reason: "guest-shutdown").json.bytes,
      try files(6).outcome)
    for number in [1, 2, 3, 6] { try age(number) }
    // Another process boots it: only its lock tells.
    let lock = try #require(try FileLock.attempt(try files(5).vmLock))
    let supervisorLock = try #require(try FileLock.attempt(try files(5).supervisorLock))
    LockOwner(doing: "start").write(into: supervisorLock)
    let after = try list()
    #expect(after.count == 80)
    let byName = Dictionary(uniqueKeysWithValues: after.map { ($0.name, $0) })
    #expect(byName["vm-101"]?.phase == .broken)
    #expect(byName["vm-102"]?.phase == .broken)
    #expect(byName["vm-103"]?.reason == "host-reboot" || byName["vm-103"]?.phase == .crashed)
    #expect(byName["vm-104"] == nil)
    #expect(byName["vm-190"]?.phase == .stopped)
    #expect(byName["vm-105"]?.phase == .starting)
    #expect(byName["vm-106"]?.reason == "clean")
    let same = Set([101, 102, 103, 104, 105, 106, 190].map { "vm-\($0)" })
    #expect(
      before.filter { !same.contains($0.name) } == after.filter { !same.contains($0.name) })
    lock.release()
    supervisorLock.release()
    #expect(try list().first { $0.name == "vm-105" }?.phase == .stopped)
  }

  @Test func `the disk is looked at each time`() throws {
    for number in 0..<80 { try make(number) }
    let before = try list()
    #expect(before.allSatisfy { $0.size == 4096 })
    let written = try #require(stamp())
    try Files.remove(try files(1).disk)
    try age(1)
    // In place, which changes nothing in its folder.
    let grown = try FileHandle(forWritingTo: URL(filePath: try files(2).disk))
    try grown.write(contentsOf: [UInt8](repeating: 7, count: 65536))
    try grown.close()
    let after = try list()
    #expect(after.map(\.size) == [4096, 0, 65536] + Array(repeating: 4096, count: 77))
    #expect(after.map(\.phase) == before.map(\.phase))
    #expect(stamp() != written, "it is as many as are worth writing it anew")
    #expect(try list() == after)
  }

  @Test func `what changed just now is looked at again`() throws {
    for number in 0..<80 { try make(number) }
    // As late as that it is still just now if this takes a while.
    let now = Date(timeIntervalSinceNow: 60)
    for number in 0..<80 where !(7...8).contains(number) { try age(number, to: now) }
    _ = try list()
    // Of the others nothing is known for certain yet.
    let known = try Files.read(index).split(separator: 0x0A).dropFirst()
    #expect(known.map { String(decoding: $0.prefix(6), as: UTF8.self) } == ["vm-107", "vm-108"])
    for number in 0..<80 { try age(number) }
    _ = try list()
    #expect(try Files.read(index).split(separator: 0x0A).count == 81)
  }

  @Test func `a pipe in the place of the index is replaced`() throws {
    for number in 0..<80 { try make(number) }
    #expect(mkfifo(index, 0o600) == 0)
    let first = try list()
    #expect(first.count == 80)
    #expect(Files.information(index)?.kind == .file)
    #expect(try list() == first)
  }

  @Test func `an index that is damaged in any way tells nothing wrong`() throws {
    for number in 0..<70 { try make(number) }
    let right = try list()
    let bytes = try Files.read(index)
    var random = SystemRandomNumberGenerator()
    for turn in 0..<60 {
      var damaged = bytes
      switch turn % 3 {
      case 0: damaged = Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &random)))
      case 1:
        damaged[Int.random(in: 0..<bytes.count, using: &random)] = [0x09, 0x0A, 0x00][turn / 3 % 3]
      default:
        let lines = bytes.split(separator: 0x0A).shuffled()
        damaged = Array(lines.joined(separator: [0x0A]))
      }
      try Files.write(damaged, to: index, isLasting: false)
      let found = try list()
      // A byte of a text may be another one; what is shown then is still of one line.
      if turn % 3 != 1 { #expect(found == right) }
      #expect(found.map(\.name) == right.map(\.name))
      #expect(found.allSatisfy { $0.phase == .stopped })
    }
  }
}
