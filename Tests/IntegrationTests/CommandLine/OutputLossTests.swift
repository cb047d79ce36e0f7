import Foundation
import QMPClient
@testable import QVMControl
import TestSupport
import Testing

/// Standard output that is full, broken or closed.
@Suite(.timeLimit(.minutes(15))) struct OutputLossTests {
  private static let full = OutputError(cause: SystemError(call: "write", code: ENOSPC))

  private func bash(_ script: String, in sandbox: Sandbox) throws -> RunningCommand {
    try sandbox.start(
      URL(filePath: "/bin/bash"),
      ["-c", "set -o pipefail; qvm() { '\(try Sandbox.program.path)' \"$@\"; }; \(script)"])
  }

  @Test func `a result that can't be written is an error that says so`() async throws {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--name", "box", "demo", "1")
      _ = try await sandbox.qvm("wait", "box", "--timeout", "30")
      for words in [
        "list", "list --json", "status box", "status --json box", "logs box", "wait box --json",
        "logs -f box", "console box", "config print-path", "--help", "--version", "run --help",
        "run --dry-run demo 1", "completions bash", "run -d --name other demo 1",
      ] {
        let result = try await bash("qvm \(words) </dev/null >/dev/full", in: sandbox).end()
        #expect(result.status == 1, "\(words)")
        #expect(
          result.reports(Self.full),
          "\(words): \(result.err)")
      }
      #expect(try await sandbox.status("box")["phase"]?.string == "running")
      // Its name could not be told.
      _ = try await sandbox.qvm("wait", "other", "--for", "stopped", "--timeout", "30")
      #expect(try await sandbox.status("other")["phase"]?.string == "stopped")
    }
  }

  @Test(arguments: [
    // Leaves while the guest still writes, leaves when it has said its last word, never reads.
    "| head -n 1", "| grep -m 1 ready:", ">/dev/full",
  ])
  func `a run whose output is lost shuts its guest down`(redirection: String) async throws {
    try await Sandbox.with { sandbox in
      let result = try await bash("qvm run --name piped demo 1 \(redirection)", in: sandbox).end()
      #expect(result.status == 1)
      #expect(
        result.reports(redirection == ">/dev/full" ? Self.full : OutputError(cause: .brokenPipe)))
      #expect(result.reports(.clean, of: "piped"))
      #expect(try await sandbox.status("piped")["lastOutcome"]?["result"]?.string == "clean")
    }
  }

  @Test func `a reader of a text for people may leave when it has seen enough`() async throws {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--name", "box", "demo", "1")
      _ = try await sandbox.qvm("wait", "box", "--timeout", "30")
      for words in [
        "list", "status box", "logs box", "images", "verify", "--help", "run --help", "--version",
        "run --dry-run demo 1", "completions bash",
      ] {
        // The pipe has no reader any more when it is written to.
        let script = "exec 3> >(:); wait $!; qvm \(words) >&3"
        let result = try await bash(script, in: sandbox).end()
        #expect(result.status == 0, "\(words): \(result.err)")
        #expect(!result.reports(OutputError(cause: .brokenPipe)), "\(words): \(result.err)")
      }
      // A name that could not be told is a loss.
      let run = try await bash(
        "exec 3> >(:); wait $!; qvm run -d --name other demo 1 >&3", in: sandbox
      ).end()
      #expect(run.status == 1)
    }
  }

  @Test func `logs and consoles end with their reader, though the guest is silent`() async throws {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--name", "box", "demo", "1")
      _ = try await sandbox.qvm("wait", "box", "--timeout", "30")
      for words in ["logs -f box", "console box"] {
        let result = try await bash("qvm \(words) | grep -m 1 ready:", in: sandbox)
          .end(within: .seconds(10))
        #expect(result.status == 1, "\(words)")
        #expect(result.reports(OutputError(cause: .brokenPipe)), "\(words): \(result.err)")
      }
      #expect(try await sandbox.status("box")["phase"]?.string == "running")
    }
  }

  @Test func `any of the standard descriptors may be closed`() async throws {
    try await Sandbox.with { sandbox in
      for closed in 0..<8 {
        let closings = ["<&-", ">&-", "2>&-"].enumerated()
          .filter { closed & 1 << $0.offset != 0 }.map(\.element).joined(separator: " ")
        let run = try await bash("qvm run -d --name c\(closed) demo 1 \(closings)", in: sandbox)
          .end()
        #expect(run.status == 0, "\(closings): \(run.err)")
        let status = try await bash("qvm status c\(closed) \(closings)", in: sandbox).end()
        #expect(status.status == 0, "\(closings): \(status.err)")
        let list = try await bash("qvm list \(closings)", in: sandbox).end()
        #expect(list.status == 0, "\(closings): \(list.err)")
        if closed & 2 == 0 { #expect(list.out.contains("c\(closed)"), "\(closings)") }

        let pid = try #require(try await sandbox.status("c\(closed)")["pid"]?.int)
        let files = try (0...2).map {
          try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/fd/\($0)")
        }
        let log = sandbox.cache.appending(path: "instances/c\(closed)/qemu.log")
          .resolvingSymlinksInPath().path
        #expect(files == ["/dev/null", log, log], "\(closings)")
        #expect(try await sandbox.qvm("rm", "--force", "c\(closed)").status == 0)
      }
      let run = try bash(
        "exec '\(try Sandbox.program.path)' run --name f demo 1 <&- >&- 2>&-", in: sandbox)
      try await eventually("it runs") {
        try await sandbox.qvm("wait", "f", "--timeout", "5").status == 0
      }
      run.signal(SIGTERM)
      #expect(try await run.end().status == 0)
      #expect(try await sandbox.status("f")["lastOutcome"]?["result"]?.string == "clean")
    }
  }
}
