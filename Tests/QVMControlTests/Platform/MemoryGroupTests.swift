import TestSupport
import Testing

@testable import QVMControl

/// Folders laid out as the kernel's.
@Suite struct MemoryGroupTests {
  private let folder: TemporaryFolder
  private let processes: String
  private let groups: String

  init() throws {
    folder = try TemporaryFolder()
    processes = "\(folder.path)/proc"
    groups = "\(folder.path)/cgroup"
  }

  private func write(_ text: String, _ path: String) throws {
    try Files.makeFolder(Files.parent(of: path))
    try Files.write(Array(text.utf8), to: path)
  }

  private func group(_ lines: String) throws -> MemoryGroup? {
    try write(lines, "\(processes)/7/cgroup")
    return MemoryGroup(of: 7, processes: processes, groups: groups)
  }

  @Test func `version 2 reports kills, and the lowest limit above`() throws {
    let events = "\(groups)/user/vm/memory.events"
    try write("low 0\nhigh 0\nmax 3\noom 1\noom_kill 0\noom_group_kill 0\n", events)
    try write("max\n", "\(groups)/user/vm/memory.max")
    try write("536870912\n", "\(groups)/user/memory.max")
    let group = try #require(try group("0::/user/vm\n"))
    #expect(group.kills == 0)
    #expect(group.limit == 512 << 20)
    let watch = MemoryWatch(group)
    #expect(watch.verdict(on: 7, start: nil) == nil)
    try write("oom 1\noom_kill 1\n", events)
    #expect(watch.verdict(on: 7, start: nil) == Outcome.MemoryKill(limit: 512 << 20))
  }

  @Test func `version 1 tells the same in other files, beside a version 2 that has no memory`()
    throws
  {
    try write(
      "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n", "\(groups)/memory/vm/memory.oom_control")
    try write("268435456\n", "\(groups)/memory/vm/memory.limit_in_bytes")
    try write("9223372036854771712\n", "\(groups)/memory/memory.limit_in_bytes")
    let group = try #require(try group("9:name=systemd:/x\n4:cpu,memory:/vm\n0::/\n"))
    #expect(group.kills == 2)
    #expect(group.limit == 256 << 20)
  }

  @Test func `a container that sees its own group as the top is read there`() throws {
    try write("oom_kill 5\n", "\(groups)/memory.events")
    try write("max\n", "\(groups)/memory.max")
    let group = try #require(try group("0::/docker/abc\n"))
    #expect(group.kills == 5)
    #expect(group.limit == nil)
  }

  @Test(arguments: ["", "nonsense", "0::/gone\n", "4:memory:/gone\n"])
  func `where nothing is to be seen there is no group`(lines: String) throws {
    #expect(try group(lines) == nil)
    #expect(MemoryGroup(of: 8, processes: processes, groups: groups) == nil)
  }

  @Test(arguments: [
    ("3,900,5000000,-;Out of memory: Killed process 42 (qemu-system-x86) total-vm:1kB", true),
    ("6,900,5000000,-;Memory cgroup out of memory: Killed process 42 (qemu) total-vm:1kB", true),
    ("6,900,5000000,-;Memory cgroup out of memory: Killed process 421 (qemu) total-vm:1kB", false),
    // Another process that had the pid before.
    ("6,900,3900000,-;Out of memory: Killed process 42 (old) total-vm:1kB", false),
    ("6,900,5000000,-;usb 1-1: new device", false), ("", false), ("Killed process 42 (", false),
  ])
  func `the kernel's log reports a kill by the pid, and since it was this process's`(
    record: String, tells: Bool
  ) {
    #expect((KernelLog.killed(record, since: 400) == 42) == tells)
  }
}
