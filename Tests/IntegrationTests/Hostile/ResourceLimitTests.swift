import Foundation
import QMPClient
import QVMControl
import TestSupport
import Testing

/// What qvm inherits from the process that starts it: limits, and signals that are ignored.
@Suite(.timeLimit(.minutes(15))) struct ResourceLimitTests {
  private func run(
    under setting: String, in sandbox: Sandbox, _ words: String = "run -d --name box demo 1"
  ) async throws -> Sandbox.Output {
    let program = try Sandbox.program.path
    return try await sandbox.run(
      URL(filePath: "/bin/sh"), ["-c", "\(setting); exec '\(program)' \(words)"])
  }

  /// A run that has failed, and why is told by the limit; nothing is left of it.
  private func expectLimit(
    _ limit: String, _ advice: String, in result: Sandbox.Output, _ sandbox: Sandbox
  ) {
    #expect(result.status == 1)
    #expect(result.err.contains(limit), "\(result.err)")
    #expect(result.err.contains(advice), "\(result.err)")
    #expect(!result.err.contains("SystemError"), "\(result.err)")
    #expect(!result.advises(InstanceError.cannotCreateDisk(path: "", why: "")), "\(result.err)")
    #expect(!sandbox.exists("box"))
  }

  @Test func `too few descriptors, for whichever process it is, are named with their number`()
    async throws
  {
    try await Sandbox.with { sandbox in
      let sandbox = sandbox
      _ = try await sandbox.qvm("pull", "demo", "1")
      // First qvm itself has too few, then its children, then QEMU.
      for count in 12...64 {
        let result = try await run(under: "ulimit -n \(count)", in: sandbox)
        if result.status == 0 {
          #expect(count > 14)
          break
        }
        expectLimit(
          "'ulimit -n' allows \(count) open files", "ulimit -n 1024", in: result, sandbox)
      }
      #expect(try await sandbox.qvm("stop", "--force", "box").status == 0)
    }
  }

  @Test func `a disk that is longer than a file may be is told by that limit`() async throws {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("pull", "demo", "1")
      // An overlay has about 200 KB; sh counts in 512 bytes.
      let result = try await run(under: "ulimit -f 100", in: sandbox)
      expectLimit(
        "'ulimit -f' allows 50 KiB per file", "ulimit -f unlimited", in: result, sandbox)
      #expect(try await sandbox.qvm("run", "-d", "--name", "box", "demo", "1").status == 0)
      #expect(try await sandbox.qvm("stop", "--force", "box").status == 0)
    }
  }

  @Test func `a download that gets too long for its limit names that`() async throws {
    try await Sandbox.with { sandbox in
      let server = try await ReleasedImage.serve("v0.1.0", in: &sandbox)
      let words = ReleasedImage.words.joined(separator: " ")
      let result = try await run(under: "ulimit -f 8", in: sandbox, "pull \(words)")
      #expect(result.status == 1)
      #expect(result.err.contains("'ulimit -f' allows 4 KiB per file"), "\(result.err)")
      withExtendedLifetime(server) {}
    }
  }

  @Test(arguments: [1, 4])
  func `without a further process or thread it says which limits there are`(from call: Int)
    async throws
  {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("pull", "demo", "1")
      let result = try await sandbox.run(
        try Tool.strace.url,
        [
          "-f", "-qq", "-o", "/dev/null", "-e", "trace=clone3", "-e",
          "inject=clone3:error=EAGAIN:when=\(call)+", try Sandbox.program.path, "run", "-d",
          "--name", "box", "demo", "1",
        ])
      #expect(result.status == 1)
      #expect(result.err.contains("'ulimit -u'"), "\(result.err)")
      #expect(!result.err.contains("SystemError"))
      #expect(!sandbox.exists("box"))
    }
  }

  /// The soft limits of a process for the size of a core.
  private func coreLimit(of pid: Int32?) throws -> String {
    let text = try String(contentsOfFile: "/proc/\(try #require(pid))/limits", encoding: .utf8)
    return String(try #require(text.firstMatch(of: /Max core file size +(\S+)/)?.1))
  }

  @Test func `no core has the guest's memory in it, unless the user wants one`() async throws {
    try await Sandbox.with { sandbox in
      let crash = try await run(under: "ulimit -c unlimited", in: sandbox)
      guard crash.status == 0 else { throw Sandbox.Failure(crash.err) }
      let pids = sandbox.pids(of: "box")
      #expect(try coreLimit(of: pids.qemu) == "0")
      #expect(try coreLimit(of: pids.supervisor) == "0")
      kill(try #require(pids.qemu), SIGSEGV)
      #expect(try await sandbox.qvm("wait", "box", "--for", "stopped").status == 0)
      #expect(try await sandbox.status("box")["lastOutcome"]?["core"]?.bool == false)
      let start = try sandbox.start("start", "box")
      try await eventually("it runs") { start.output.out.contains("ready") }
      kill(try #require(sandbox.pids(of: "box").qemu), SIGABRT)
      let end = try await start.end()
      #expect(end.err.contains("QVM_QEMU_CORE=1"), "\(end.err)")

      sandbox.environment["QVM_QEMU_CORE"] = "1"
      let wanted = try await run(under: "ulimit -c unlimited", in: sandbox, "start -d box")
      guard wanted.status == 0 else { throw Sandbox.Failure(wanted.err) }
      #expect(try coreLimit(of: sandbox.pids(of: "box").qemu) == "unlimited")
      // No core is left by this one.
      kill(try #require(sandbox.pids(of: "box").qemu), SIGKILL)
      #expect(try await sandbox.qvm("wait", "box", "--for", "stopped").status == 0)
      #expect(try await sandbox.status("box")["lastOutcome"]?["core"] == nil)
    }
  }

  @Test func `a parent that ignores the end of its children changes nothing`() async throws {
    try await Sandbox.with { sandbox in
      // A shell may not let it be ignored.
      let script = """
        import os, signal, sys
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        os.execv(sys.argv[1], sys.argv[1:])
        """
      for words in ["run -d --rm --name box demo 1", "stop --force box"] {
        let result = try await sandbox.run(
          try Tool.python.url,
          ["-c", script, try Sandbox.program.path] + words.split(separator: " ").map(String.init))
        #expect(result.status == 0, "\(result.err)")
      }
      #expect(!sandbox.exists("box"))
    }
  }
}
