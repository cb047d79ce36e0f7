import Foundation
import QMPClient
import QVMControl
import TestSupport
import Testing

/// The connection to the guest that commands share, and what ends it.
@Suite(.serialized, .timeLimit(.minutes(15))) struct SharedConnectionTests {
  /// The ssh processes that hold a connection for others.
  private func holders(in sandbox: Sandbox) -> Int {
    sandbox.processes.count { $0.command.contains("ssh -M") }
  }

  @Test func `commands share a connection, which ends with a reset and after its supervisor`()
    async throws
  {
    try await Sandbox.with(beforeOthers: true) { sandbox in
      try await sandbox.plant(try LinuxGuest.linux.image, as: "freebsd-14.2-x86-64")
      let run = ["run", "-d", "--name", "box", "--memory", "256M", "--platform", "x86-64"]
      #expect(try await sandbox.qvm(run + ["freebsd", "14.2"]).status == 0)
      #expect(try await sandbox.qvm("wait", "box", "--timeout", "59").status == 0)
      #expect(holders(in: sandbox) == 0)

      // The shell around a command is a child of the server's process for the connection.
      let parent = ["box", "sh", "-c", "awk '{ print $4 }' /proc/$PPID/stat"]
      let first = try await sandbox.qvm(["exec"] + parent)
      #expect(first.status == 0 && Int(first.out.dropLast()) != nil, "\(first.err)")
      #expect(try await sandbox.qvm(["exec"] + parent).out == first.out)
      #expect(try await sandbox.qvm(["exec", "-u", "user"] + parent).out != first.out)
      #expect(holders(in: sandbox) == 1)

      try await checkReset(in: sandbox)

      let last = try await command("echo up; sleep 3; echo done; exit 3", in: sandbox)
      #expect(holders(in: sandbox) == 1)
      kill(try #require(sandbox.pids(of: "box").supervisor), SIGKILL)
      let end = try await last.end()
      #expect(end.status == 3, "\(end.err)")
      #expect(end.out == "up\ndone\n")
      try await eventually("the connection is gone") { holders(in: sandbox) == 0 }
      let alone = try await sandbox.qvm("exec", "box", "echo", "alone")
      #expect(alone.out == "alone\n", "\(alone.err)")
      #expect(try await sandbox.qvm("stop", "--force", "box").status == 0)
    }
  }

  /// A reset is seen by QEMU alone: for ssh the guest is merely silent.
  private func checkReset(in sandbox: Sandbox) async throws {
    let shared = try await command("echo up; sleep 300", in: sandbox)
    let own = try sandbox.start("exec", "-u", "user", "box", "echo up; sleep 301")
    try await eventually("the command runs") { own.output.out.contains("up\n") }
    let monitor = try #require(try await sandbox.status("box")["paths"]?["monitor"]?.string)
    let probe = try BlockingQMPClient(path: monitor, timeout: .seconds(10))
    _ = try probe.execute(SystemReset())
    for command in [shared, own] {
      let end = try await command.end()
      #expect(end.status == 255, "\(end.err)")
      #expect(end.out == "up\n")
      #expect(end.err.contains("box restarted while it ran"), "\(end.err)")
    }
    #expect(try await sandbox.status("box")["ready"]?.bool == false)
    #expect(try await sandbox.qvm("exec", "box", "uname").out == "Linux\n")
  }

  /// Starts a command in the guest that says `up` when it is.
  private func command(_ text: String, in sandbox: Sandbox) async throws -> RunningCommand {
    let command = try sandbox.start("exec", "box", text)
    try await eventually("the command runs") { command.output.out.contains("up\n") }
    return command
  }
}
