import Foundation
import QMPClient
import QVMControl
import TestSupport
import Testing

/// As a service of systemd's, with `Type=notify`.
@Suite(.timeLimit(.minutes(15))) struct ServiceTests {
  private func start(
    _ words: [String], told listener: NotifyListener, in sandbox: Sandbox
  ) throws -> RunningCommand {
    try sandbox.start(
      try Sandbox.program, words, environment: ["NOTIFY_SOCKET": listener.address])
  }

  /// Whether a process was started with the manager's address in its environment.
  private func knowsManager(_ pid: Int32) -> Bool {
    let environment = FileManager.default.contents(atPath: "/proc/\(pid)/environ") ?? Data()
    return environment.range(of: Data("NOTIFY_SOCKET=".utf8)) != nil
  }

  @Test(arguments: [false, true])
  func `it is ready when its guest is, says that it powers off, and keeps this to itself`(
    isAbstract: Bool
  ) async throws {
    try await Sandbox.with { sandbox in
      let listener = try NotifyListener(
        isAbstract ? "@\(sandbox.id)" : sandbox.folder.appending(path: "notify").path)
      let run = try start(["run", "--name", "unit", "demo", "1"], told: listener, in: sandbox)
      try await eventually("ready") { listener.index(of: "READY=1") != nil }
      // Its own log: what has come to this process is behind that.
      let console = try sandbox.text("console.log", of: "unit")
      #expect(console.contains("ready"), "ready before the guest was")
      try await eventually("it is shown, too") { run.output.out.contains("ready") }
      #expect(listener.index(of: "STOPPING=1") == nil)
      #expect(listener.messages.last == "READY=1\nSTATUS=running")
      let others = sandbox.processes.filter { $0.pid != run.pid }
      #expect(others.count == 2)
      for process in others { #expect(!knowsManager(process.pid), "\(process.command)") }

      // As KillMode=mixed does: to the main process alone.
      run.signal(SIGTERM)
      #expect(try await run.end().status == 0)
      let booting = try #require(listener.index(of: "STATUS=booting"))
      let ready = try #require(listener.index(of: "READY=1"))
      let stopping = try #require(listener.index(of: "STOPPING=1"))
      #expect(booting < ready && ready < stopping)
      for index in [booting, stopping] {
        #expect(listener.messages[index].contains("EXTEND_TIMEOUT_USEC="))
      }
      #expect(try await sandbox.status("unit")["lastOutcome"]?["result"]?.string == "clean")

      // The unit boots what exists; detached there is nothing to tell.
      let count = listener.messages.count
      let again = try start(["start", "unit"], told: listener, in: sandbox)
      try await eventually("ready again") {
        listener.messages.dropFirst(count).contains { $0.hasPrefix("READY=1") }
      }
      again.signal(SIGTERM)
      #expect(try await again.end().status == 0)
      let told = listener.messages.count
      let detached = try start(["start", "-d", "unit"], told: listener, in: sandbox)
      #expect(try await detached.end().status == 0)
      for process in sandbox.processes { #expect(!knowsManager(process.pid), "\(process.command)") }
      #expect(listener.messages.count == told)
    }
  }

  @Test func `what the manager says to its service alone reaches no other process`() async throws {
    try await Sandbox.with { sandbox in
      let names = [
        "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "MAINPID",
        "JOURNAL_STREAM", "INVOCATION_ID",
      ]
      let values = Dictionary(uniqueKeysWithValues: names.map { ($0, "1") })
      // Of the tools, those that get this process's environment: QEMU when asked for its version.
      let told = sandbox.folder.appending(path: "told").path
      try await sandbox.useQEMU(script: #"env >> '\#(told)'; exec "$REAL" "$@""#)
      let run = try await sandbox.qvm(
        ["run", "-d", "--name", "unit", "demo", "1"], environment: values)
      #expect(run.status == 0, "\(run.err)")
      #expect(sandbox.processes.count == 2)
      for process in sandbox.processes {
        let data = FileManager.default.contents(atPath: "/proc/\(process.pid)/environ") ?? Data()
        let entries = String(decoding: data, as: UTF8.self).split(separator: "\0")
        #expect(entries.contains { $0.hasPrefix("PATH=") })
        let left = entries.filter { entry in names.contains { entry.hasPrefix("\($0)=") } }
        #expect(left == [], "\(process.command)")
      }
      let lines = try String(contentsOfFile: told, encoding: .utf8).split(separator: "\n")
      #expect(lines.contains { $0.hasPrefix("PATH=") })
      #expect(lines.filter { line in names.contains { line.hasPrefix("\($0)=") } } == [])
      #expect(try await sandbox.qvm("stop", "--force", "unit").status == 0)
    }
  }

  @Test func `more time is asked for while a deaf guest is being ended, and then no more`()
    async throws
  {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(.deaf, as: "haiku-r1beta5-x86-64")
      let listener = try NotifyListener("@\(sandbox.id)")
      let run = try start(
        [
          "run", "--name", "deaf", "--memory", "64M", "--shutdown-timeout", "4", "haiku", "r1beta5",
        ],
        told: listener, in: sandbox)
      try await eventually("it boots") { run.output.out.contains("ready") }
      run.signal(SIGTERM)
      #expect(try await run.end().status == 1)
      #expect(listener.index(of: "READY=1") == nil, "its ssh server never greeted")
      let stopping = try #require(listener.index(of: "STOPPING=1"))
      let more = listener.messages[stopping...].filter {
        $0.contains("EXTEND_TIMEOUT_USEC=75000000")
      }
      // The button twice, `quit`, and QEMU's own word.
      #expect(more.count >= 4 && more.count < 10, "\(more)")
      let outcome = try await sandbox.status("deaf")["lastOutcome"]
      #expect(outcome?["result"]?.string == "forced")
      #expect(outcome?["rung"]?.string == "quit")
    }
  }

  @Test func `a download is told of, and gets more time`() async throws {
    try await Sandbox.with { sandbox in
      let server = try await PublishedReleases.serve(in: sandbox)
      try server.setFault(.slow(40_000), for: "haiku-r1beta5-x86-64.qcow2")
      sandbox.environment["QVM_BASE_URL"] = server.baseURL
      let listener = try NotifyListener("@\(sandbox.id)")
      let run = try start(["run", "haiku", "r1beta5"], told: listener, in: sandbox)
      try await eventually("it says so") {
        listener.index(of: "STATUS=downloading haiku-r1beta5-x86-64.qcow2") != nil
      }
      run.signal(SIGTERM)
      #expect(try await run.end().status == 130)
      #expect(listener.messages.allSatisfy { $0.contains("EXTEND_TIMEOUT_USEC=120000000") })
    }
  }

  @Test func `the unit has systemd tell qvm alone, and wait for longer than a guest may take`()
    throws
  {
    let file = Sandbox.package.appending(path: "Sources/qvm/systemd/qvm@.service")
    let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
    for line in ["Type=notify", "KillMode=mixed", "ExecStart=/usr/local/bin/qvm start %i"] {
      #expect(lines.contains { $0 == line }, "\(line)")
    }
    let stopping = lines.first { $0.hasPrefix("TimeoutStopSec=") }?.split(separator: "=").last
    let longest = OperatingSystem.allCases.map(\.shutdownTimeout).max() ?? 0
    #expect(Int(stopping ?? "") ?? 0 >= longest)
    // 'make install' writes another prefix over this one.
    let makefile = try String(
      contentsOf: Sandbox.package.appending(path: "Makefile"), encoding: .utf8)
    #expect(makefile.contains("sed 's|/usr/local/bin|$(PREFIX)/bin|' Sources/qvm/systemd"))
  }
}
