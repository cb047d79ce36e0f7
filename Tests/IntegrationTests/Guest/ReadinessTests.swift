import Foundation
import QMPClient
import QVMControl
import TestSupport
import Testing

/// When a guest is ready, who is told, and what else can be waited for in it.
@Suite(.timeLimit(.minutes(15))) struct ReadinessTests {
  private static let guest = ["--memory", "256M", "--platform", "x86-64", "freebsd", "14.2"]

  private func count(_ text: String, in shown: String) -> Int {
    shown.components(separatedBy: text).count - 1
  }

  @Test
  func
    `a terminal is told when the guest is ready, and a wait after its reboot waits for the new boot`()
    async throws
  {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(try LinuxGuest.linux.image, as: "freebsd-14.2-x86-64")
      let terminal = try TerminalSession(
        try Sandbox.program, ["run", "--name", "box"] + Self.guest, in: sandbox)
      try await terminal.expect("box is ready: ", within: .seconds(90))
      try await terminal.expect("'qvm ssh box'")
      try await checkPorts(in: sandbox)

      let identity = ["exec", "box", "cat /proc/sys/kernel/random/boot_id"]
      let before = try await sandbox.qvm(identity).out
      #expect(before.count > 30)
      let reboot = try await sandbox.qvm("exec", "-u", "root", "box", "reboot")
      #expect([0, 255].contains(reboot.status), "\(reboot.err)")
      #expect(try await sandbox.qvm("wait", "box", "--timeout", "100").status == 0)
      let after = try await sandbox.qvm(identity)
      #expect(after.status == 0, "\(after.err)")
      #expect(after.out != before && after.out.count == before.count)
      try await eventually("it is said again", within: .seconds(60)) {
        count("box is ready: ", in: terminal.text) == 2
      }
      #expect(try await sandbox.qvm("stop", "box").status == 0)
      #expect(try await terminal.end() == 0)
    }
  }

  private func checkPorts(in sandbox: Sandbox) async throws {
    #expect(try await sandbox.qvm("wait", "box", "--for", "port:22").status == 0)
    let waiting = try sandbox.start("wait", "box", "--for", "port:8080", "--json")
    let early = try await sandbox.qvm("wait", "box", "--for", "port:8080", "--timeout", "1")
    #expect(early.status == 124)
    let listener = try sandbox.start("exec", "box", "nc -l -p 8080")
    let met = try await waiting.end()
    #expect(met.status == 0, "\(met.err)")
    #expect(met.json["result"]?.string == "met")
    #expect(met.json["for"]?.string == "port:8080")
    listener.signal(SIGTERM)
    _ = try await listener.end()
    for port in ["port:0", "port:65536", "port:x", "port:"] {
      #expect(try await sandbox.qvm("wait", "box", "--for", port).status == 64)
    }
  }

  @Test func `a wait for a port of a guest without an ssh server is an error`() async throws {
    try await Sandbox.with { sandbox in
      #expect(try await sandbox.qvm("run", "-d", "--name", "box", "demo", "1").status == 0)
      let wait = try await sandbox.qvm("wait", "box", "--for", "port:22")
      #expect(wait.status == 1)
      #expect(wait.reports(SSHError.noServer(name: "box")), "\(wait.err)")
      #expect(try await sandbox.qvm("stop", "box").status == 0)
    }
  }

  @Test func `after a reset the text of the boot before is no sign`() async throws {
    try await Sandbox.with { sandbox in
      #expect(try await sandbox.qvm("run", "-d", "--name", "box", "demo", "1").status == 0)
      #expect(try await sandbox.qvm("wait", "box", "--timeout", "60").status == 0)
      let path = try #require(try await sandbox.status("box")["paths"]?["monitor"]?.string)
      try BlockingQMPClient(path: path, timeout: .seconds(60)).execute(SystemReset())
      try await eventually("the supervisor knows") {
        try await sandbox.status("box")["ready"]?.bool == false
      }
      #expect(try await sandbox.qvm("wait", "box", "--timeout", "60").status == 0)
      #expect(count("ready: type", in: try await sandbox.qvm("logs", "box").out) == 2)
      #expect(try await sandbox.qvm("stop", "box").status == 0)
    }
  }

  @Test func `a run with a command shows its boot on a terminal, in one line that goes away`()
    async throws
  {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(try LinuxGuest.linux.image, as: "freebsd-14.2-x86-64")
      let words = ["run", "--rm", "--name", "once"] + Self.guest + ["--", "echo out; exit 3"]
      let terminal = try TerminalSession(try Sandbox.program, words, in: sandbox)
      try await terminal.expect("once boots, 0:01", within: .seconds(60))
      #expect(try await terminal.end() == 3)
      // Each drawing is removed by what follows, and nothing is drawn after the end of the boot.
      let shown = terminal.text
      let erased = "\r\u{1B}[K"
      let draws = count("once boots, ", in: shown)
      #expect(draws >= 2)
      #expect(count("\(erased)qvm: once boots, ", in: shown) == draws)
      let last = try #require(shown.components(separatedBy: "once boots, ").last)
      #expect(last.contains(erased))
      #expect(last.contains("out"))
      #expect(!last.prefix(while: { $0 != "\r" }).contains("\n"), "\(last)")

      let quiet = try await sandbox.qvm(words)
      #expect(quiet.status == 3)
      #expect(quiet.out == "out\n")
      #expect(!quiet.err.contains("boots, ") && !quiet.err.contains("is ready;"), "\(quiet.err)")
    }
  }
}
