import Foundation
import QMPClient
import QVMControl
import TestSupport
import Testing

/// This process's own group, where it may make others.
private enum OwnMemoryGroup {
  /// The folder of this process's own group, where it may make others.
  static let folder: String? = {
    let lines = try? String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8)
    let path = lines?.split(separator: "\n").compactMap { line -> Substring? in
      let words = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      return words.count == 3 && words[1] == "memory" ? words[2] : nil
    }.first
    guard let path else { return nil }
    let folder = "/sys/fs/cgroup/memory\(path == "/" ? "" : path)"
    let probe = "\(folder)/qvm-probe-\(getpid())"
    guard mkdir(probe, 0o755) == 0 else { return nil }
    defer { rmdir(probe) }
    return FileManager.default.fileExists(atPath: "\(probe)/memory.oom_control") ? folder : nil
  }()
}

/// A QEMU that the kernel kills for want of memory, in a real group with a limit: where this machine
/// lets the tests make one, as it does for root with the first version of cgroups.
@Suite(.timeLimit(.minutes(15)), .enabled(if: OwnMemoryGroup.folder != nil))
struct OutOfMemoryTests {
  private static let limit = 400 << 20

  /// A group with a limit, and words that begin a command in it.
  private func withGroup(
    _ name: String, _ body: ([String]) async throws -> Void
  ) async throws {
    let folder = "\(try #require(OwnMemoryGroup.folder))/\(name)"
    try #require(mkdir(folder, 0o755) == 0)
    try "\(Self.limit)".write(
      toFile: "\(folder)/memory.limit_in_bytes", atomically: false, encoding: .utf8)
    let script = "echo $$ >'\(folder)/cgroup.procs' && exec \"$@\""
    do { try await body(["/bin/sh", "-c", script, "sh"]) } catch {
      rmdir(folder)
      throw error
    }
    try await eventually("the group is empty") { rmdir(folder) == 0 }
  }

  @Test func `a VM that the kernel killed says so, with the limit`() async throws {
    try await Sandbox.with { sandbox in
      try await withGroup("\(sandbox.id)") { prefix in
        let run = try await sandbox.run(
          URL(filePath: "/usr/bin/env"),
          prefix + [try Sandbox.program.path, "run", "-d", "--rm", "--name", "big", "demo", "1"])
        #expect(run.status == 0, "\(run.err)")
        _ = try await sandbox.qvm("wait", "big", "--timeout", "30")
        let path = try await sandbox.status("big")["paths"]?["monitor"]?.string
        let monitor = try BlockingQMPClient(path: try #require(path), timeout: .seconds(30))
        _ = try? monitor.execute(Hog(bytes: 2 << 30))
        _ = try await sandbox.qvm("wait", "big", "--for", "stopped", "--timeout", "30")
        let status = try await sandbox.status("big")
        #expect(status["phase"]?.string == "crashed")
        let outcome = status["lastOutcome"]
        #expect(outcome?["reason"]?.string == "out-of-memory")
        #expect(outcome?["signal"]?.int == 9)
        #expect(outcome?["memoryKill"]?["limit"]?.int == Self.limit)
        #expect(sandbox.exists("big"))
      }
    }
  }

  @Test func `a VM that doesn't fit to begin with says so as well`() async throws {
    try await Sandbox.with { sandbox in
      try await withGroup("\(sandbox.id)") { prefix in
        let run = try await sandbox.run(
          URL(filePath: "/usr/bin/env"),
          prefix + [
            try Sandbox.program.path, "run", "-d", "--name", "big", "--memory", "2G", "--qemu-arg",
            "-mem-prealloc", "demo", "1",
          ])
        #expect(run.status == 1)
        #expect(
          run.err.contains(Outcome.MemoryKill(limit: Self.limit).sentence),
          "\(run.err)")
        #expect(run.err.contains("--memory"), "\(run.err)")
      }
    }
  }

  @Test func `a kill by another process is not taken for the kernel's`() async throws {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--name", "hit", "demo", "1")
      kill(try #require(sandbox.pids(of: "hit").qemu), SIGKILL)
      _ = try await sandbox.qvm("wait", "hit", "--for", "stopped", "--timeout", "30")
      let outcome = try await sandbox.status("hit")["lastOutcome"]
      #expect(outcome?["reason"]?.string == "qemu-signal-9")
      #expect(outcome?["memoryKill"] == nil)
    }
  }

  /// Has QEMU take memory, all of it at once.
  private struct Hog: QMPCommand {
    static let name = "object-add"
    let bytes: Int

    var arguments: JSONObject {
      [
        "qom-type": "memory-backend-ram", "id": "hog", "size": .integer(Int64(bytes)),
        "prealloc": true,
      ]
    }
  }
}
