import QMPClient
import Testing

@testable import QVMControl

/// The tables of members, held against records in which every member has a value of its own.
@Suite struct JSONRecordTests {
  private static let boot: BootRecord = {
    var boot = BootRecord(
      token: "b", hostBootID: "h", startedAt: Timestamp(seconds: 1), removeOnShutdown: true,
      shutdownTimeout: 2, supervisorPid: 3, supervisorStart: 4, pid: 5, start: 6, command: ["q"],
      accelerator: "tcg", qemuVersion: "8.0.0", sshAddress: "::1", sshPort: 7, consoleOffset: 8,
      runtimeFolder: "/r", pidNamespace: "p", supervisorNamespace: "s", lock: "l", isFirst: true)
    (boot.blocksSignals, boot.number, boot.earlier) = (true, 9, [10])
    boot.published = [PublishedPort(.udp, "127.0.0.1", 11, to: 12, isChosen: true)]
    return boot
  }()

  private static let plan = LaunchPlan(
    kind: .adopt, cache: "/c", name: "n", command: ["q"], runtimeFolder: "/r", isPortFixed: true,
    published: [PublishedPort(.tcp, "0.0.0.0", 0, to: 12)], removeOnShutdown: true,
    shutdownTimeout: 2, waitsForConsole: true, isFirst: true, consoleCut: 3,
    recording: "/w")

  private static let outcome: Outcome = {
    var outcome = Outcome(
      token: "b", result: .crashed, reason: "r", rung: "quit", seconds: 1.5, exitStatus: 2,
      signal: 3, endedAt: Timestamp(seconds: 4))
    outcome.steps = [Outcome.Step(rung: "quit", seconds: 1)]
    (outcome.presses, outcome.diskError) = (5, "e")
    (outcome.memoryKill, outcome.isWithoutCore) = (Outcome.MemoryKill(limit: 6), true)
    return outcome
  }()

  /// Every property is in the table; every member is read into the property that it is written from;
  /// and one that is absent or of another type is refused, or leaves the blank record's value.
  private func check<Record: JSONRecord & Equatable>(
    _ record: Record, required: Set<String>
  ) throws {
    #expect(record.members.members.map(\.name) == record.memberNames)
    #expect(Mirror(reflecting: record).children.count == record.memberNames.count)
    #expect(try Record(.object(record.members), "f") == record)
    for name in record.memberNames {
      // No member is an object without members, except one whose members are all optional.
      for wrong in [nil, JSONValue.null, ["deep": [true]]]
      where name != "memoryKill" || wrong == nil {
        var members = record.members
        members[name] = wrong
        if required.contains(name) {
          #expect(throws: JSONFileError.missing(member: name, path: "f")) {
            try Record(.object(members), "f")
          }
        } else {
          let read = try Record(.object(members), "f")
          #expect(read.members[name] == Record.blank.members[name], "\(name)")
        }
      }
    }
  }

  @Test func `a boot's record`() throws {
    try check(
      Self.boot,
      required: [
        "boot", "hostBootId", "startedAt", "shutdownTimeout", "supervisorPid", "supervisorStart",
        "consoleOffset",
      ])
  }

  @Test func `an outcome`() throws {
    try check(Self.outcome, required: ["boot", "result", "reason", "endedAt"])
  }

  @Test func `a plan for a supervisor`() throws {
    try check(
      Self.plan,
      required: [
        "kind", "cache", "name", "command", "isPortFixed", "removeOnShutdown", "shutdownTimeout",
        "waitsForConsole", "isFirst",
      ])
  }

  @Test func `numbers that no qvm writes become the nearest that it may`() throws {
    var members = Self.boot.members
    (members["number"], members["consoleOffset"]) = (-1, -1)
    (members["pid"], members["supervisorStart"]) = (.integer(.max), -1)
    let read = try BootRecord(.object(members), "f")
    #expect(read.number == 1 && read.consoleOffset == 0)
    #expect(read.pid == .max && read.supervisorStart == 0)
  }
}
