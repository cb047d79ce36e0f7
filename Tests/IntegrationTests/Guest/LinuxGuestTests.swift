import Foundation
import QMPClient
import QVMControl
import TestSupport
import Testing

/// A guest with an ssh server, by the command lines of FreeBSD (virtio) and Haiku (e1000).
@Suite(.timeLimit(.minutes(15))) struct LinuxGuestTests {
  private static let guests = [
    "freebsd": ["--platform", "x86-64", "freebsd", "14.2"], "haiku": ["haiku", "r1beta5"],
  ]
  private static let images = ["freebsd": "freebsd-14.2-x86-64", "haiku": "haiku-r1beta5-x86-64"]

  /// The words for `run`, with the guest's image in the cache, whose name ssh would not take as it
  /// is, and for a user whose ssh is configured for quite other hosts.
  private func prepare(
    _ system: String, _ guest: LinuxGuest = .linux, in sandbox: inout Sandbox
  ) async throws -> [String] {
    let odd = sandbox.folder.appending(path: "a b%h${HOME}'\"~")
    try FileManager.default.createSymbolicLink(at: odd, withDestinationURL: sandbox.cache)
    sandbox.environment["QVM_CACHE"] = odd.path
    let options =
      system == "haiku"
      ? ["ControlMaster auto", "ControlPath \(sandbox.folder.path)/shared", "ControlPersist 60"]
      : ["ProxyCommand false", "RemoteCommand echo not this", "NoSuchOption yes"]
    try await sandbox.configureSSH(["Host *"] + options)
    try await sandbox.plant(try guest.image, as: try #require(Self.images[system]))
    return ["--ssh-address", "127.0.0.1", "--memory", "256M"]
      + (try #require(Self.guests[system]))
  }

  @Test(arguments: ["freebsd", "haiku"])
  func `it is ready when its ssh server greets, runs commands, and obeys its power button`(
    system: String
  ) async throws {
    try await Sandbox.with { sandbox in
      let words = try await prepare(system, in: &sandbox)
      let run = try await sandbox.qvm(["run", "-d", "--name", "box"] + words)
      #expect(run.status == 0, "\(run.err)")
      let early = try await sandbox.qvm("wait", "box", "--timeout", "0")
      #expect(early.status == 124, "ready before it was up")
      let late = try await sandbox.qvm("ssh", "--ready-timeout", "0", "box", "--", "uname")
      #expect(late.status == 124)
      #expect(late.out == "")
      #expect(try await sandbox.status("box")["ready"]?.bool == false)
      #expect(try await sandbox.qvm("list").out.contains("running (booting)"))

      let uname = try await sandbox.qvm("ssh", "box", "--", "uname")
      #expect(uname.out == "Linux\n")
      #expect(uname.status == 0)
      #expect(uname.err.hasPrefix("qvm: waiting until box is ready"), "\(uname.err)")
      #expect(try await sandbox.qvm("list").out.contains("running (ready)"))
      #expect(try await sandbox.qvm("wait", "box", "--timeout", "59").status == 0)
      let shared = sandbox.folder.appending(path: "shared").path
      #expect(!FileManager.default.fileExists(atPath: shared), "a connection that others can use")
      try await checkHostKey(of: "box", in: sandbox)
      #expect(try await sandbox.qvm("ssh", "box", "--", "exit 7").status == 7)
      try await checkExactWords(in: sandbox)

      let stop = try await sandbox.qvm("stop", "box")
      #expect(stop.status == 0, "\(stop.err)")
      let outcome = try await sandbox.status("box")["lastOutcome"]
      #expect(outcome?["result"]?.string == "clean")
      #expect(outcome?["rung"]?.string == "powerdown")
    }
  }

  @Test func `more commands at once than the server lets in are carried out, each once`()
    async throws
  {
    try await Sandbox.with { sandbox in
      let words = try await prepare("freebsd", in: &sandbox)
      #expect(try await sandbox.qvm(["run", "-d", "--name", "box"] + words).status == 0)
      #expect(try await sandbox.qvm("wait", "box", "--timeout", "59").status == 0)
      let sandbox = sandbox
      try await withThrowingTaskGroup(of: Sandbox.Output.self) { group in
        for number in 1...20 {
          group.addTask {
            // An emulated guest needs a second or more of its own for each key exchange.
            try await sandbox.start("ssh", "box", "--", "echo \(number) >> /tmp/told; echo done")
              .end(within: .seconds(300))
          }
        }
        for try await command in group {
          #expect(command.status == 0, "\(command.err)")
          #expect(command.out == "done\n")
          #expect(command.err.isEmpty)
        }
      }
      // And a login by a person, who has the guest's terminal.
      let login = try TerminalSession(try Sandbox.program, ["ssh", "box"], in: sandbox)
      login.type("stty -echo; echo the' 'terminal' 'is $(tty); exit 7\n")
      try await login.expect("the terminal is /dev/")
      #expect(try await login.end() == 7)
      let told = try await sandbox.qvm("ssh", "box", "--", "sort -n /tmp/told")
      #expect(told.out == (1...20).map { "\($0)\n" }.joined(), "\(told.err)")
      #expect(try await sandbox.qvm("stop", "--force", "box").status == 0)
    }
  }

  @Test func `an orphan whose monitor is gone is told by ssh to power off`() async throws {
    try await Sandbox.with { sandbox in
      let words = try await prepare("freebsd", in: &sandbox)
      #expect(try await sandbox.qvm(["run", "-d", "--name", "box"] + words).status == 0)
      #expect(try await sandbox.qvm("wait", "box", "--timeout", "59").status == 0)
      kill(try #require(sandbox.pids(of: "box").supervisor), SIGKILL)
      try FileManager.default.removeItem(
        at: sandbox.folder(of: "box").appending(path: "monitor.sock"))
      let stop = try await sandbox.qvm("stop", "box")
      #expect(stop.status == 0, "\(stop.err)")
      #expect(stop.err.contains("told the guest by ssh to power off"), "\(stop.err)")
      #expect(!stop.err.contains("SIGTERM"), "\(stop.err)")
      let outcome = try await sandbox.status("box")["lastOutcome"]
      #expect(outcome?["result"]?.string == "unknown")
      #expect(outcome?["rung"]?.string == "ssh")
    }
  }

  /// The guest's key is kept, and another one is refused until the user has forgotten the first.
  private func checkHostKey(of name: String, in sandbox: Sandbox) async throws {
    let file = sandbox.folder(of: name).appending(path: "known_hosts")
    let known = try String(contentsOf: file, encoding: .utf8)
    let fields = known.split(whereSeparator: \.isWhitespace).map(String.init)
    #expect(fields.count == 3 && fields[0] == name, "\(known)")
    let key = sandbox.folder.appending(path: "key")
    let kind = fields[1].contains("ecdsa") ? "ecdsa" : fields[1].replacing("ssh-", with: "")
    let make = try await sandbox.run(
      URL(filePath: "/usr/bin/env"), ["ssh-keygen", "-q", "-N", "", "-t", kind, "-f", key.path])
    #expect(make.status == 0, "\(make.err)")
    let other = try String(contentsOf: key.appendingPathExtension("pub"), encoding: .utf8)
    try Data("\(name) \(other)".utf8).write(to: file)
    // With a user of its own, a command doesn't use the connection that was made before.
    let login = ["ssh", "-l", "runner", name, "--", "uname"]
    let refused = try await sandbox.qvm(login)
    #expect(refused.status == 255)
    #expect(refused.out == "")
    #expect(refused.err.contains("known_hosts:1"), "\(refused.err)")
    try FileManager.default.removeItem(at: file)
    let again = try await sandbox.qvm(login)
    #expect(again.out == "Linux\n", "\(again.err)")
    #expect(again.err.isEmpty)
    // What leads elsewhere is not written through.
    try FileManager.default.removeItem(at: file)
    try FileManager.default.createSymbolicLink(at: file, withDestinationURL: key)
    #expect(try await sandbox.qvm(login).status == 1)
    try FileManager.default.removeItem(at: file)
  }

  /// What `exec` runs has exactly its words, and what `ssh` runs is a line, with the options of others.
  private func checkExactWords(in sandbox: Sandbox) async throws {
    let words = ["it's", "", "a  b", "$HOME", "!!", "-n", "a\nb\n"]
    let exact = try await sandbox.qvm(
      ["exec", "-e", "QVM_A=x y", "-w", "/tmp", "box", "printf", "<%s>"] + words)
    #expect(exact.out == words.map { "<\($0)>" }.joined(), "\(exact.err)")
    let line = try await sandbox.qvm(
      "exec", "-e", "QVM_A=x  y", "-w", "/tmp", "box", "echo \"$QVM_A\" $(pwd); exit 3")
    #expect(line.out == "x  y /tmp\n")
    #expect(line.status == 3)
    #expect(try await sandbox.qvm("exec", "box", "qvm-no-such", "x").status == 127)
    #expect(try await sandbox.qvm("exec", "box", "/tmp", "x").status == 126)
    let joined = try await sandbox.qvm(
      "ssh", "-x", "-oForwardAgent=no", "-T", "-p", "22", "--", "box", "echo", "a  b;", "echo", "c")
    #expect(joined.out == "a b\nc\n", "\(joined.err)")
    let user = try #require(
      try await sandbox.qvm("exec", "box", "id -un").out.split(separator: "\n").first)
    let named = try await sandbox.qvm("ssh", "\(user)@box", "id -un")
    #expect(named.out == "\(user)\n", "\(named.err)")
    let other = try await sandbox.qvm("exec", "-u", "nobody-here", "box", "true")
    #expect(other.status == 255)
    let refusal = SSHError.refused(name: "box", user: "nobody-here", isImageUser: false)
    #expect(other.err.contains(refusal.message), "\(other.err)")
    let script = try await sandbox.qvm(
      "exec", "-u", "nobody-here", "box", "true", String(repeating: "x", count: 9000))
    #expect(script.status == 255)
    #expect(script.reports(refusal), "\(script.err.prefix(500))")
    // With a terminal on both sides the command gets one.
    let terminal = try TerminalSession(
      try Sandbox.program,
      ["exec", "box", "test -t 0 && test -t 1 && echo ter'mi'nal; trap 'exit 9' INT; read x"],
      in: sandbox)
    try await terminal.expect("terminal")
    terminal.type("\u{3}")
    #expect(try await terminal.end() == 9)
    let killed = try TerminalSession(
      try Sandbox.program, ["exec", "box", "echo 'up' 'now'; sleep 300"], in: sandbox)
    try await killed.expect("up now")
    killed.type("\u{3}")
    #expect(try await killed.end() == 130)
    let forced = try await sandbox.qvm("exec", "-t", "box", "cat; tty; true")
    #expect(forced.out == "not a tty\n")
    #expect(forced.err.contains("-t"), "\(forced.err)")
  }

  @Test func `a run with a command ends with its status, after a clean shutdown`() async throws {
    try await Sandbox.with { sandbox in
      let words = try await prepare("freebsd", in: &sandbox)
      let run = try await sandbox.qvm(
        ["run", "--rm", "--name", "once"] + words + ["--", "echo said by the guest; exit 7"])
      #expect(run.status == 7, "\(run.err)")
      #expect(run.out == "said by the guest\n")
      #expect(run.reports(.clean, of: "once"))
      #expect(try await sandbox.qvm("status", "once").status == 4)
    }
  }

  @Test func `a run with a command whose supervisor is killed ends its VM all the same`()
    async throws
  {
    try await Sandbox.with { sandbox in
      let words = try await prepare("freebsd", in: &sandbox)
      let run = try sandbox.start(
        try Sandbox.program, ["run", "--rm", "--name", "lost"] + words + ["--", "sleep 300"])
      try await eventually("it is there") { sandbox.exists("lost") }
      let wait = try await sandbox.qvm("wait", "lost", "--timeout", "59")
      guard wait.status == 0 else { throw Sandbox.Failure(wait.err) }
      try await eventually("the command runs") {
        sandbox.processes.contains { $0.command.contains("ssh -F") }
      }
      kill(try #require(sandbox.pids(of: "lost").supervisor), SIGKILL)
      let end = try await run.end()
      #expect(end.err.contains("shutting lost down without it"), "\(end.err)")
      #expect(end.reports(.clean, of: "lost"), "\(end.err)")
      #expect(!sandbox.exists("lost"), "\(end.err)")
      #expect(end.status == 1)
      try await eventually("nothing is left") { sandbox.processes.isEmpty }
      #expect(try await sandbox.qvm("status", "lost").status == 4)
    }
  }

  @Test func `a guest that ignores its button is told by ssh, and ends cleanly`() async throws {
    try await Sandbox.with { sandbox in
      let words = try await prepare("freebsd", .deaf, in: &sandbox)
      _ = try await sandbox.qvm(["run", "-d", "--name", "deaf"] + words)
      #expect(try await sandbox.qvm("wait", "deaf", "--timeout", "59").status == 0)
      let stop = try await sandbox.qvm("stop", "deaf", "--timeout", "20")
      #expect(stop.status == 0, "\(stop.err)")
      #expect(stop.err.contains("ssh"))
      let outcome = try await sandbox.status("deaf")["lastOutcome"]
      #expect(outcome?["result"]?.string == "clean")
      #expect(outcome?["reason"]?.string == "guest-shutdown")
      #expect(outcome?["rung"]?.string == "ssh")
      #expect((outcome?["seconds"]?.double ?? 0) >= 10)
    }
  }
}
