import Foundation
import QMPClient
import QVMControl
import TestSupport
import Testing

/// A VM that was started in a container with the cache on a volume, seen from the host.
@Suite(.timeLimit(.minutes(15))) struct PidNamespaceTests {
  @Test func `its locks tell that it lives, no pid of it is believed, and its monitor ends it`()
    async throws
  {
    guard geteuid() == 0 else { return }
    try await Sandbox.with { sandbox in
      let container = try sandbox.start(
        URL(filePath: "/usr/bin/unshare"),
        [
          "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c",
          """
          '\(try Sandbox.program.path)' run -d --name box demo 1
          exec tail -f /dev/null
          """,
        ])
      try await eventually("it runs") { container.output.out.contains("box") }
      let boot = sandbox.file("boot.json", of: "box")
      let running = try await sandbox.status("box")
      #expect(running["phase"]?.string == "running")
      #expect(running["pid"] == nil)
      #expect(running["supervisorPid"] == nil)
      // Its supervisor, as the host sees it.
      let supervisor = try #require(
        sandbox.processes.first { $0.command.contains("__supervise") }?.pid)
      kill(supervisor, SIGKILL)
      try await eventually("it is an orphan") {
        try await sandbox.status("box")["phase"]?.string == "orphaned"
      }
      #expect(try await sandbox.status("box")["pid"] == nil)
      #expect(boot["pid"]?.int != nil)
      let stop = try await sandbox.qvm("stop", "box")
      #expect(stop.status == 0, "\(stop.err)")
      #expect(stop.reports(.clean, of: "box"), "\(stop.err)")
      container.signal(SIGKILL)
      _ = try await container.end()
    }
  }

  @Test func `where its sockets are gone that is said, and they come back from inside`()
    async throws
  {
    guard geteuid() == 0 else { return }
    try await Sandbox.with { sandbox in
      let program = try Sandbox.program.path
      let container = try sandbox.start(
        URL(filePath: "/usr/bin/unshare"),
        [
          "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c",
          """
          '\(program)' run -d --name box demo 1
          while ! [ -e '\(sandbox.folder.path)/look' ]; do sleep 0.05; done
          '\(program)' status box
          exec tail -f /dev/null
          """,
        ])
      try await eventually("it runs") { container.output.out.contains("box") }
      for name in ["monitor.sock", "console.sock", "control.sock"] {
        try FileManager.default.removeItem(at: sandbox.folder(of: "box").appending(path: name))
      }
      for options in [[], ["--force"]] {
        let stop = try await sandbox.qvm(["stop", "box"] + options)
        #expect(stop.status == 1)
        #expect(stop.reports(StopError.elsewhere(name: "box")), "\(stop.err)")
      }
      try Data().write(to: sandbox.folder.appending(path: "look"))
      try await eventually("it is found") {
        try await sandbox.status("box")["phase"]?.string == "running"
      }
      let stop = try await sandbox.qvm("stop", "box")
      #expect(stop.status == 0, "\(stop.err)")
      container.signal(SIGKILL)
      _ = try await container.end()
    }
  }
}
