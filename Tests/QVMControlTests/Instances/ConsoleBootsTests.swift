import TestSupport
import Testing

@testable import QVMControl

@Suite struct ConsoleBootsTests {
  private static let boots: ConsoleBoots = {
    var record = BootRecord(
      token: "b", hostBootID: "h", startedAt: Timestamp(seconds: 0), removeOnShutdown: false,
      shutdownTimeout: 120, supervisorPid: 1, supervisorStart: 1, command: [], consoleOffset: 90,
      isFirst: false)
    (record.number, record.earlier) = (7, [-20, 30, 30])
    return ConsoleBoots("box", record)
  }()

  @Test(
    arguments: [
      (0, 90, nil), (-1, 30, 90), (-2, 30, 30), (-3, -20, 30), (7, 90, nil), (4, -20, 30),
    ] as [(Int, Int, Int?)])
  func `a boot is counted from the last, or from the instance's first`(
    boot: Int, start: Int, end: Int?
  ) throws {
    let part = try Self.boots.part(of: boot)
    #expect(part.start == start)
    #expect(part.end == end)
  }

  @Test(arguments: [-4, 3, 8]) func `one of which nothing is kept is an error`(boot: Int) {
    #expect(throws: ConsoleBoots.Missing(name: "box", boot: boot, kept: 4...7)) {
      try Self.boots.part(of: boot)
    }
    #expect(throws: ConsoleBoots.Missing.self) { try ConsoleBoots("box", nil).part(of: 0) }
  }
}
