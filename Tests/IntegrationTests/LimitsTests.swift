import Foundation
import TestSupport
import Testing

/// What qvm inherits from whoever starts it: limits, and signals that are ignored.
@Suite(.timeLimit(.minutes(5))) struct LimitsTests {
  private func run(
    under setting: String, in sandbox: Sandbox, _ words: String = "run -d --name box demo 1"
  ) async throws -> Sandbox.Output {
    let program = try Sandbox.program.path
    return try await sandbox.run(
      URL(filePath: "/bin/sh"), ["-c", "\(setting); exec '\(program)' \(words)"])
  }

  @Test(arguments: [
    // For qvm itself, for its child, and for QEMU.
    ("ulimit -n 12", "'ulimit -n' allows 12 open files", "ulimit -n 1024"),
    ("ulimit -n 14", "'ulimit -n' allows 14 open files", "ulimit -n 1024"),
    ("ulimit -n 16", "'ulimit -n' allows 16 open files", "ulimit -n 1024"),
    ("ulimit -n 18", "'ulimit -n' allows 18 open files", "ulimit -n 1024"),
    // An overlay has about 200 KB; sh counts in 512 bytes.
    ("ulimit -f 100", "'ulimit -f' allows 50 KiB in a file", "ulimit -f unlimited"),
  ])
  func `what runs into a limit names it and says how to raise it`(
    setting: String, limit: String, advice: String
  ) async throws {
    try await Sandbox.with { sandbox in
      let sandbox = sandbox
      _ = try await sandbox.qvm("pull", "demo", "1")
      let result = try await run(under: setting, in: sandbox)
      #expect(result.status == 1)
      #expect(result.err.contains(limit), "\(result.err)")
      #expect(result.err.contains(advice), "\(result.err)")
      #expect(!result.err.contains("SystemError"))
      #expect(!result.err.contains("free space"))
      #expect(!sandbox.exists("box"))
      // Nothing is left that keeps the next one from it.
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
      #expect(result.err.contains("'ulimit -f' allows 4 KiB in a file"), "\(result.err)")
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
