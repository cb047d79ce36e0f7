import Foundation
import QMPClient
import QVMControl
import TestSupport
import Testing

/// Commands in a real guest that are ended before they are done, and connections that are lost.
@Suite(.serialized, .timeLimit(.minutes(15))) struct GuestSignalTests {
  private static let words = [
    "--memory", "256M", "--platform", "x86-64", "freebsd", "14.2",
  ]

  /// Boots a guest in the background, or has one to boot.
  private func prepare(
    _ guest: LinuxGuest = .linux, boot: Bool = true, in sandbox: Sandbox
  ) async throws {
    try await sandbox.plant(try guest.image, as: "freebsd-14.2-x86-64")
    guard boot else { return }
    #expect(try await sandbox.qvm(["run", "-d", "--name", "box"] + Self.words).status == 0)
    #expect(try await sandbox.qvm("wait", "box", "--timeout", "59").status == 0)
  }

  /// Starts a command in the guest that says `up` when it is.
  private func command(_ text: String, in sandbox: Sandbox) async throws -> RunningCommand {
    let command = try sandbox.start("ssh", "box", "--", text)
    try await eventually("the command runs") { command.output.out.contains("up\n") }
    return command
  }

  /// What is left in the guest of commands: the number of sleeping processes, and their files.
  private func left(in sandbox: Sandbox) async throws -> String {
    try await sandbox.qvm("ssh", "box", "--", "ps | grep -c '[s]leep 30'; ls -A /tmp | grep -v $$")
      .out
  }

  @Test func `a signal ends a command in the guest with its group, and shows in the status`()
    async throws
  {
    try await Sandbox.with(beforeOthers: true) { sandbox in
      try await prepare(in: sandbox)
      for signal in [SIGINT, SIGTERM, SIGHUP] {
        let command = try await command("echo up; sleep 300 & sleep 301", in: sandbox)
        command.signal(signal)
        let end = try await command.end()
        #expect(end.status == 128 + signal, "\(end.err)")
        #expect(end.out == "up\n")
        #expect(end.err.split(separator: "\n").count == 1, "\(end.err)")
      }
      // What it does with the signal is its own affair, and its last words arrive.
      let trapping = try await command(
        "trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.1; done", in: sandbox)
      trapping.signal(SIGTERM)
      let end = try await trapping.end()
      #expect(end.status == 3, "\(end.err)")
      #expect(end.out == "up\nbye\n")
      // `timeout` signals all of its group.
      let timed = try await sandbox.run(
        URL(filePath: "/usr/bin/env"),
        ["timeout", "3", try Sandbox.program.path, "ssh", "box", "--", "echo up; sleep 302"])
      #expect(timed.status == 124, "\(timed.err)")
      #expect(timed.out == "up\n")
      let own = try await sandbox.qvm("ssh", "box", "--", "exit 255")
      #expect(own.status == 255)
      #expect(own.err.isEmpty)
      let files = try await left(in: sandbox).split(separator: "\n")
      #expect(files.first == "0", "\(files)")
      // That of the command that looks is its own.
      #expect(files.count <= 2, "\(files)")
      try await checkGivingUp(in: sandbox)
    }
  }

  /// A second signal doesn't wait for a guest that stands still.
  private func checkGivingUp(in sandbox: Sandbox) async throws {
    let command = try await command("echo up; sleep 300", in: sandbox)
    let monitor = try #require(try await sandbox.status("box")["paths"]?["monitor"]?.string)
    let probe = try BlockingQMPClient(path: monitor, timeout: .seconds(10))
    _ = try probe.execute(Stop())
    command.signal(SIGTERM)
    try await eventually("it is told") { command.output.err.contains("ending the command") }
    command.signal(SIGINT)
    let end = try await command.end(within: .seconds(8))
    #expect(end.status == 128 + SIGTERM, "\(end.err)")
    #expect(end.err.contains("the command may still be running in box"), "\(end.err)")
    try await eventually("no ssh is left") {
      !sandbox.processes.contains { $0.command.contains("ssh -F") }
    }
  }

  @Test func `a connection that is lost is told from a guest that is gone`() async throws {
    try await Sandbox.with(beforeOthers: true) { sandbox in
      try await prepare(in: sandbox)
      // The server's process for this connection alone.
      let lost = try await sandbox.qvm(
        "ssh", "box", "--",
        "sudo kill -9 $(awk '{ print $4 }' /proc/$PPID/stat); sleep 303")
      #expect(lost.status == 255)
      #expect(lost.err.contains("the connection to box was lost"), "\(lost.err)")
      #expect(lost.err.contains("may still be running"), "\(lost.err)")
      let gone = try await command("echo up; sleep 304", in: sandbox)
      #expect(try await sandbox.qvm("stop", "--force", "box").status == 0)
      let end = try await gone.end()
      #expect(end.status == 5)
      #expect(end.err.contains("the guest is gone: box ended"), "\(end.err)")
    }
  }

  @Test func `a signal to a run with a command ends that first, then the guest in good order`()
    async throws
  {
    try await Sandbox.with(beforeOthers: true) { sandbox in
      try await prepare(boot: false, in: sandbox)
      let run = try sandbox.start(
        try Sandbox.program,
        ["run", "--rm", "--name", "once"] + Self.words
          + ["--", "trap 'echo bye; kill -9 $$' TERM; echo up; while :; do sleep 0.1; done"])
      try await eventually("it is there") { sandbox.exists("once") }
      _ = try await sandbox.qvm("wait", "once", "--timeout", "59")
      try await eventually("the command runs") { run.output.out.contains("up\n") }
      run.signal(SIGINT)
      let end = try await run.end()
      #expect(end.status == 130, "\(end.err)")
      #expect(end.out == "up\nbye\n", "\(end.err)")
      #expect(end.reports(.clean, of: "once"), "\(end.err)")
      #expect(!end.err.contains("could not end"), "\(end.err)")
      #expect(try await sandbox.qvm("status", "once").status == 4)
    }
  }

  // MARK: - A server that is busy

  /// What takes all of the server's places for those who have not logged in, as a script for bash.
  private static let taking = """
    for place in 1 2 3 4 5 6 7 8; do
      (exec 3<>/dev/tcp/127.0.0.1/$port; read -r -t 3 first <&3; sleep 3) </dev/null >/dev/null 2>&1 &
    done
    sleep 1
    """

  @Test func `a run with a command waits for a place at a busy server`() async throws {
    try await Sandbox.with(beforeOthers: true) { sandbox in
      try await prepare(boot: false, in: sandbox)
      try await sandbox.useSSH(
        script: """
          for word; do
            [ "$last" != -p ] || port=$word
            last=$word
          done
          [ -z "$port" ] || port=$port bash -c '\(Self.taking)'
          exec "$REAL" "$@"
          """)
      let run = try await sandbox.qvm(
        ["run", "--name", "once"] + Self.words + ["--", "echo done; exit 7"])
      #expect(run.status == 7, "\(run.err)")
      #expect(run.out == "done\n")
      #expect(run.err.contains("'qvm rm once'") && run.err.contains("--rm"), "\(run.err)")
      try await eventually("the places are given back") { sandbox.processes.isEmpty }
    }
  }

  @Test func `a guest gets its power-off command by ssh even if its server is busy`()
    async throws
  {
    try await Sandbox.with(beforeOthers: true) { sandbox in
      try await prepare(.deaf, in: sandbox)
      let port = try #require(try await sandbox.status("box")["sshPort"]?.int)
      try await sandbox.useSSH(script: "exec \"$REAL\" \"$@\"")
      let stop = try sandbox.start("stop", "box", "--timeout", "16")
      try await eventually("it is asked") {
        try await sandbox.status("box")["phase"]?.string == "stopping"
      }
      // From a second before ssh's turn, for three. Nothing happens before it, so there is only time
      // to wait for.
      try await Task.sleep(for: .seconds(6))
      _ = try await sandbox.run(
        URL(filePath: "/usr/bin/env"), ["bash", "-c", Self.taking],
        environment: ["port": String(port)])
      let end = try await stop.end()
      #expect(end.status == 0, "\(end.err)")
      #expect(end.err.contains("told the guest by ssh"), "\(end.err)")
      #expect(!end.err.contains("could not tell"), "\(end.err)")
      let outcome = try await sandbox.status("box")["lastOutcome"]
      #expect(outcome?["rung"]?.string == "ssh")
      let step = outcome?["rungs"]?.array?.first { $0["rung"]?.string == "ssh" }
      #expect(step != nil && step?["failure"] == nil, "\(outcome ?? .null)")
      try await eventually("the places are given back") { sandbox.processes.isEmpty }
    }
  }
}
