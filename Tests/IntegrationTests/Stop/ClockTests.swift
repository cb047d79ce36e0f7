import Foundation
import QMPClient
import QVMControl
import TestSupport
import Testing

/// A wall clock that is set while a VM runs, as after a suspended night or by an NTP server.
@Suite(.timeLimit(.minutes(15))) struct ClockTests {
  @Test(.enabled(if: Sandbox.otherProgram == nil, "a static program takes no other clock"))
  func `a wall clock that jumps by days makes no wait longer or shorter`() async throws {
    try await Sandbox.with { sandbox in
      let library = sandbox.folder.appending(path: "jumping.so").path
      let source = Sandbox.package.appending(path: "Fixtures/Clock/jumping.c").path
      // The compiler is the Swift toolchain's.
      let build = "\"$(dirname \"$(readlink -f \"$(command -v swift)\")\")/clang\" \"$@\""
      let built = try await sandbox.run(
        URL(filePath: "/bin/sh"),
        ["-c", build, "sh", "-shared", "-fPIC", "-O1", "-fuse-ld=lld", source, "-o", library])
      #expect(built.status == 0, "\(built.err)")
      sandbox.environment["LD_PRELOAD"] = library
      try await sandbox.plant(.deaf, as: "haiku-r1beta5-x86-64")
      let run = try await sandbox.qvm(
        "run", "-d", "--name", "late", "--memory", "64M", "haiku", "r1beta5")
      #expect(run.status == 0, "\(run.err)")
      // Else nothing below would mean anything.
      let created = try #require(sandbox.file("instance.json", of: "late")["createdAt"]?.string)
      let apart = try Date(created, strategy: .iso8601).timeIntervalSinceNow
      #expect(abs(apart) > 80_000, "\(created)")

      let wait = try await elapsed {
        try await sandbox.qvm("wait", "late", "--for", "console:never", "--timeout", "2")
      }
      #expect(wait.output.status == 124)
      #expect(wait.time > .seconds(2) && wait.time < .seconds(20), "\(wait.time)")
      let stop = try await elapsed { try await sandbox.qvm("stop", "late", "--timeout", "2") }
      #expect(stop.output.reports(.forced, of: "late"), "\(stop.output.err)")
      #expect(stop.time > .seconds(2) && stop.time < .seconds(20), "\(stop.time)")
      let seconds = try await sandbox.status("late")["lastOutcome"]?["seconds"]?.double ?? 0
      #expect(seconds > 2 && seconds < 20, "\(seconds)")
    }
  }

  private func elapsed(
    _ body: () async throws -> Sandbox.Output
  ) async throws -> (output: Sandbox.Output, time: Duration) {
    let start = ContinuousClock.now
    let output = try await body()
    return (output, start.duration(to: .now))
  }
}
