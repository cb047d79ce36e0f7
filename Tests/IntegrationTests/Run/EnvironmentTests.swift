import Foundation
import QMPClient
import QVMControl
import TestSupport
import Testing

@testable import qvm

/// What is around qvm: locales, temporary folders, ports, many VMs, and too little of something.
@Suite(.timeLimit(.minutes(15))) struct EnvironmentTests {
  @Test func `the locale changes nothing, and no temporary file is made`() async throws {
    try await Sandbox.with { sandbox in
      let temporary = sandbox.folder.appending(path: "temporary")
      try FileManager.default.createDirectory(at: temporary, withIntermediateDirectories: false)
      sandbox.environment["TMPDIR"] = temporary.path
      #expect(try await sandbox.qvm("run", "-d", "--name", "Iıİi", "demo", "1").status == 64)
      #expect(try await sandbox.qvm("run", "-d", "--name", "TITLE", "demo", "1").status == 0)
      #expect(try await sandbox.qvm("wait", "TITLE", "--timeout", "30").status == 0)
      let commands = [
        ["--help"], ["run", "--help"], ["config", "print-path"], ["list", "--json"],
        ["status", "--json", "TITLE"], ["logs", "TITLE"],
        ["run", "--platform", "ARM64", "haiku", "1"],
        ["run", "--dry-run", "--name", "x", "--platform", "AMD64", "NetBSD", "10.1"],
        ["status", "title"], ["run", "windoIs", "1"], ["start", "TITLE"],
      ]
      for words in commands {
        var seen: Set<String> = []
        for locale in ["C", "C.UTF-8", "tr_TR.UTF-8", "xx"] {
          let result = try await sandbox.qvm(
            words, environment: ["LC_ALL": locale, "LANG": locale, "LANGUAGE": "tr"])
          seen.insert("\(result.status) \(result.out) \(result.err)")
        }
        #expect(seen.count == 1, "\(words): \(seen)")
      }
      #expect(try await sandbox.qvm("stop", "TITLE").status == 0)
      #expect(try FileManager.default.contentsOfDirectory(atPath: temporary.path) == [])
    }
  }

  @Test func `arguments that can't be read are an error`() async throws {
    try await Sandbox.with { sandbox in
      // As in a chroot without /proc.
      let words = "/proc/self/maps"
      let result = try await sandbox.run(
        try Tool.strace.url,
        [
          "-f", "-qq", "-o", "/dev/null", "-P", words, "-e", "trace=openat", "-e",
          "inject=openat:error=ENOENT", try Sandbox.program.path, "rm", "absent",
        ])
      #expect(result.status == 1)
      #expect(result.out.isEmpty)
      // strace may say first which file the path is.
      #expect(result.reports(ArgumentsUnavailable.unreadable))
    }
  }

  @Test func `an argument that is no UTF-8 is refused before anything is done`() async throws {
    try await Sandbox.with { sandbox in
      let result = try await sandbox.run(
        URL(filePath: "/bin/sh"),
        [
          "-c", #"exec "$0" run -d --name box demo 1 --cpu "$(printf 'a\377')""#,
          try Sandbox.program.path,
        ])
      #expect(result.status == 64)
      #expect(result.out.isEmpty)
      #expect(result.reports(ArgumentsUnavailable.garbled(number: 8)))
      #expect(!sandbox.exists("box"))
    }
  }

  @Test func `twenty VMs at once each have a port of their own and answer`() async throws {
    try await Sandbox.with { sandbox in
      let names = (1...20).map { "vm\($0)" }
      let sandbox = sandbox
      try await withThrowingTaskGroup(of: Sandbox.Output.self) { group in
        for name in names {
          group.addTask { try await sandbox.qvm("run", "-d", "--name", name, "demo", "1") }
        }
        for try await run in group { #expect(run.status == 0, "\(run.err)") }
      }
      var ports: Set<Int> = []
      for name in names {
        let start = ContinuousClock.now
        let status = try await sandbox.status(name)
        #expect(start.duration(to: .now) < .seconds(3))
        #expect(status["runState"]?.string == "running")
        ports.insert(try #require(status["sshPort"]?.int))
      }
      #expect(ports.count == 20)
      let list = try await sandbox.qvm("list", "--json").json["instances"]?.array
      #expect(list?.count { $0["phase"]?.string == "running" } == 20)
      #expect(try await sandbox.qvm(["stop", "--force"] + names).status == 0)
    }
  }

  @Test func `a port that the VM of another cache has is told with that cache`() async throws {
    try await Sandbox.with { sandbox in
      let free = try sandbox.start(
        try Tool.python.url,
        [
          "-c",
          "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])",
        ])
      let port = try await free.end().out.dropLast()
      let words = ["run", "-d", "--ssh-port", "\(port)", "--name"]
      let first = try await sandbox.qvm(words + ["first", "demo", "1"])
      #expect(first.status == 0, "\(first.err)")
      let other = sandbox.folder.appending(path: "other").path
      let second = try await sandbox.qvm(
        words + ["second", "demo", "1"], environment: ["QVM_CACHE": other])
      #expect(second.status == 1)
      let holder = PortHolder(name: "first", cache: sandbox.cache.path)
      let taken = StartError.portTaken(
        address: "127.0.0.1", port: try #require(Int(port)), by: holder)
      #expect(second.reports(taken), "\(second.err)")
    }
  }

  @Test func `a port that another program has is passed over, or refused where it was asked for`()
    async throws
  {
    try await Sandbox.with { sandbox in
      let script = """
        import socket, time
        s = socket.socket()
        s.bind(("127.0.0.1", 0)); s.listen()
        print(s.getsockname()[1], flush=True)
        time.sleep(600)
        """
      let holder = try sandbox.start(try Tool.python.url, ["-c", script])
      try await eventually("it listens") { holder.output.out.hasSuffix("\n") }
      let port = holder.output.out.dropLast()
      // The addresses collide with each other, too.
      for address in ["127.0.0.1", "0.0.0.0"] {
        let run = try await sandbox.qvm(
          "run", "-d", "--name", "asked", "--ssh-port", "\(port)", "--ssh-address", address, "demo",
          "1")
        #expect(run.status == 1)
        let taken = StartError.portTaken(
          address: address, port: try #require(Int(port)), by: nil)
        #expect(run.reports(taken), "\(run.err)")
        #expect(try await sandbox.qvm("status", "asked").status == 4)
      }
      holder.signal(SIGKILL)
      _ = try await holder.end()
    }
  }

  // MARK: - Too much and too little

  @Test(arguments: ["run --rm --name box demo 1", "console box"])
  func `more than the guest reads can be piped in, and nothing waits for it in memory`(
    words: String
  ) async throws {
    try await Sandbox.with { sandbox in
      let isRun = words.hasPrefix("run")
      if !isRun {
        #expect(try await sandbox.qvm("run", "-d", "--name", "box", "demo", "1").status == 0)
      }
      // A fake guest never reads its console; the real one reads slowly.
      let program = try Sandbox.program.path
      let run = try sandbox.start(
        URL(filePath: "/bin/sh"),
        ["-c", "head -c 300000000 /dev/zero | exec '\(program)' \(words)"])
      try await eventually("it runs") { run.output.err.contains("box") }
      let client = try #require(
        sandbox.processes.first { $0.command.hasPrefix("\(program) \(words.prefix(3))") }?.pid)
      // Long enough to have read all of it, were there nothing to stop it.
      try await Task.sleep(for: .seconds(2))
      let memory = try String(contentsOfFile: "/proc/\(client)/status", encoding: .utf8)
      let peak = try #require(memory.firstMatch(of: /VmHWM:\s*(\d+) kB/)?.1)
      #expect(Int(peak) ?? .max < 40_000, "\(peak) kB")
      #expect(try await sandbox.status("box")["phase"]?.string == "running")
      kill(client, SIGINT)
      let result = try await run.end()
      #expect(result.status == (isRun ? 0 : 130), "\(result.err.suffix(500))")
      guard isRun else { return }
      #expect(result.reports(.clean, of: "box"), "\(result.err.suffix(500))")
      #expect(!sandbox.exists("box"))
    }
  }

  @Test func `what is piped in arrives whole, in order`() async throws {
    try await Sandbox.with { sandbox in
      let program = try Sandbox.program.path
      let lines = (0..<400).map { "line \($0) abcdefghijklmnop\\n" }.joined()
      let run = try sandbox.start(
        URL(filePath: "/bin/sh"),
        ["-c", "printf '\(lines)' | exec '\(program)' run --rm --name box demo 1"])
      // The guest echoes it; the first of it comes while the firmware has the console.
      try await eventually("the last arrived") {
        run.output.out.contains("line 399 abcdefghijklmnop")
      }
      let echoed = run.output.out.matches(of: /line (\d+) abcdefghijklmnop/).compactMap {
        Int($0.1)
      }
      let first = try #require(echoed.first)
      #expect(echoed == Array(first...399))
      let client = try #require(
        sandbox.processes.first { $0.command.hasPrefix("\(program) run") }?.pid)
      kill(client, SIGINT)
      #expect(try await run.end().status == 0)
    }
  }

  @Test func `a supervisor short of descriptors serves some clients, and all of them later`()
    async throws
  {
    try await Sandbox.with { sandbox in
      let run = try await sandbox.run(
        URL(filePath: "/bin/sh"),
        ["-c", "ulimit -n 32; exec '\(try Sandbox.program.path)' run -d --name box demo 1"])
      #expect(run.status == 0, "\(run.err)")
      let status = try await sandbox.status("box")
      let path = try #require(status["paths"]?["monitor"]?.string)
        .replacing("monitor.sock", with: "control.sock")
      let supervisor = try #require(status["supervisorPid"]?.int)
      var clients: [Descriptor] = []
      for _ in 0..<40 { clients.append(try SocketCalls.connect(path)) }
      // It says so instead of hanging, and takes no processor while it can't let them in.
      let start = ContinuousClock.now
      let crowded = try await sandbox.status("box")
      #expect(start.duration(to: .now) < .seconds(3))
      #expect(crowded["phase"]?.string == "unresponsive")
      let before = try processorTicks(of: supervisor)
      // What it uses in this time is what it is about.
      try await Task.sleep(for: .seconds(1))
      #expect(try processorTicks(of: supervisor) - before < 20)
      clients = []
      try await eventually("it answers again") {
        try await sandbox.status("box")["phase"]?.string == "running"
      }
      #expect(try await sandbox.qvm("stop", "--force", "box").status == 0)
    }
  }

  /// What a process has used of the processor, in hundredths of a second.
  private func processorTicks(of pid: Int) throws -> Int {
    let fields =
      try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
      .split(separator: ")").last?.split(separator: " ") ?? []
    return (Int(fields[11]) ?? 0) + (Int(fields[12]) ?? 0)
  }
}
