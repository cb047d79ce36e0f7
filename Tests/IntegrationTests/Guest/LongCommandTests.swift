import Foundation
import QMPClient
import QVMControl
import TestSupport
import Testing

/// Commands and scripts of any length, and commands with a terminal, in a real guest.
@Suite(.serialized, .timeLimit(.minutes(15))) struct LongCommandTests {
  private static let words = [
    "--ssh-address", "127.0.0.1", "--memory", "256M", "--platform", "x86-64", "freebsd", "14.2",
  ]
  /// Every character of one byte that a word can hold, and longer ones, in a length that dropbear takes on
  /// no line.
  private static let odd = String(
    repeating: String(String.UnicodeScalarView((1...127).map { Unicode.Scalar(UInt8($0)) })) + "é😀",
    count: 750)

  private func shell(_ line: String, _ words: [String], in sandbox: Sandbox) async throws
    -> Sandbox.Output
  {
    try await sandbox.run(
      URL(filePath: "/bin/sh"), ["-c", line, try Sandbox.program.path] + words)
  }

  @Test func `long words, scripts and standard input arrive in a guest as they are`() async throws {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(try LinuxGuest.linux.image, as: "freebsd-14.2-x86-64")
      #expect(try await sandbox.qvm(["run", "-d", "--name", "box"] + Self.words).status == 0)
      #expect(try await sandbox.qvm("wait", "box", "--timeout", "59").status == 0)
      try await checkWords(in: sandbox)
      try await checkScripts(in: sandbox)
      try await checkFullDisk(in: sandbox)
      try await checkTerminal(in: sandbox)
      try await checkSignal(in: sandbox)
      // No file is left but that of the command that looks.
      let files = try await sandbox.qvm("exec", "box", "ls -A /tmp | grep -c -- -task")
      #expect(files.out == "0\n", "\(files.out)")
      #expect(try await sandbox.qvm("stop", "--force", "box").status == 0)
    }
  }

  private func checkWords(in sandbox: Sandbox) async throws {
    let odd = Self.odd
    #expect(odd.utf8.count > 99_000)
    let folder = sandbox.folder
    try Data((odd + "x" + odd).utf8).write(to: folder.appending(path: "expected"))
    let input = Data((0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7) })
    try input.write(to: folder.appending(path: "input"))
    // Two words of 100 KB, one of them as a variable, too, and input of all bytes.
    let both = try await shell(
      #"exec "$0" "$@" <'\#(folder.path)/input' >'\#(folder.path)/output'"#,
      [
        "exec", "-e", "QVM_ODD=\(odd)", "box", "/bin/sh", "-c",
        #"printf %s "$1" x "$QVM_ODD"; cat"#, "sh", odd,
      ], in: sandbox)
    #expect(both.status == 0, "\(both.err.prefix(500))")
    let output = try Data(contentsOf: folder.appending(path: "output"))
    #expect(output == Data((odd + "x" + odd).utf8) + input)
    // Several words of together half a megabyte, and one line for the shell.
    let many = Array(repeating: String(repeating: "a b", count: 20_000), count: 8)
    let count = try await sandbox.qvm(
      ["exec", "box", "/bin/sh", "-c", "printf %s \"$@\" | wc -c", "sh"] + many)
    #expect(count.out.trimmingCharacters(in: .whitespacesAndNewlines) == "480000")
    let line = try await sandbox.qvm(
      "exec", "box", "x='\(String(repeating: "y", count: 60_000))'; echo ${#x}; exit 7")
    #expect(line.out == "60000\n")
    #expect(line.status == 7, "\(line.err.prefix(500))")
    let joined = try await sandbox.qvm(
      "ssh", "box", "echo", String(repeating: "y", count: 20_000), "| wc -c")
    #expect(joined.out.trimmingCharacters(in: .whitespacesAndNewlines) == "20001")
    let missing = try await sandbox.qvm("exec", "box", "qvm-no-such", odd)
    #expect(missing.status == 127)
  }

  private func checkScripts(in sandbox: Sandbox) async throws {
    let script = sandbox.folder.appending(path: "a script")
    // Its lines count from the first, it has bytes that are no text, and standard input is its own.
    var lines = Data("#!/bin/sh\ncat; printf '<%s>' \"$@\" \"$(pwd)\"; printf '%s' '".utf8)
    lines += Data([0xFF, 0xFE, 0x80])
    lines += Data("'\n\(String(repeating: "# a line\n", count: 40_000))false\necho not this\n".utf8)
    try lines.write(to: script)
    let run = try await shell(
      #"echo input | "$0" exec -w /etc box --script "$1" "a  b" '' "it's" | od -An -c | tr -d ' \n'"#,
      [script.path], in: sandbox)
    #expect(run.out == #"input\n<ab><><it's></etc>377376200"#, "\(run.err) \(run.out)")
    let failed = try await sandbox.qvm("exec", "box", "--script", script.path)
    #expect(failed.status == 1)
    let input = try await shell(
      #"printf 'read x || echo "no input for $1"; exit 3' | "$0" exec box --script - me"#, [],
      in: sandbox)
    #expect(input.out == "no input for me\n", "\(input.err)")
    #expect(input.status == 3)
    let absent = try await sandbox.qvm("exec", "box", "--script", "/qvm/no/such")
    #expect(absent.status == 64)
  }

  private func checkFullDisk(in sandbox: Sandbox) async throws {
    let full = try await sandbox.qvm(
      "exec", "box", "dd if=/dev/zero of=/tmp/fill bs=1k 2>&1 | tail -1")
    #expect(full.err.isEmpty, "\(full.err)")
    let long = try await sandbox.qvm("exec", "box", "true", Self.odd)
    _ = try await sandbox.qvm("exec", "box", "rm -f /tmp/fill")
    #expect(long.status == 1, "\(long.err.prefix(500))")
    #expect(long.err.contains("/tmp"), "\(long.err.prefix(500))")
  }

  private func checkTerminal(in sandbox: Sandbox) async throws {
    let long = try TerminalSession(
      try Sandbox.program,
      [
        "exec", "box",
        "test -t 0 && echo ter'mi'nal; trap 'exit 9' INT; read x; : \(Self.odd.count)"
          + String(repeating: " y", count: 5000),
      ],
      in: sandbox)
    try await long.expect("terminal")
    long.type("\u{3}")
    #expect(try await long.end() == 9)
  }

  private func checkSignal(in sandbox: Sandbox) async throws {
    let script = sandbox.folder.appending(path: "long")
    try Data("echo up\nsleep 300\n".utf8).write(to: script)
    let command = try sandbox.start("exec", "box", "--script", script.path)
    try await eventually("the script runs") { command.output.out == "up\n" }
    command.signal(SIGTERM)
    let end = try await command.end()
    #expect(end.status == 128 + SIGTERM, "\(end.err)")
  }

  @Test
  func `a run takes a script and long words, and has a terminal whose Ctrl-C ends the command`()
    async throws
  {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(try LinuxGuest.linux.image, as: "freebsd-14.2-x86-64")
      let absent = try await sandbox.qvm(
        ["run", "--name", "box", "--script", "/qvm/no/such"] + Self.words)
      #expect(absent.status == 64)
      #expect(!sandbox.exists("box"))
      let once = try await shell(
        #"printf 'echo "got ${#1}"\nfalse\necho not this' | "$0" "$@""#,
        ["run", "--rm", "--name", "once", "--script", "-"] + Self.words
          + ["--", String(repeating: "y", count: 30_000)], in: sandbox)
      #expect(once.out == "got 30000\n", "\(once.err)")
      #expect(once.status == 1)
      #expect(once.reports(.clean, of: "once"), "\(once.err)")

      let terminal = try TerminalSession(
        try Sandbox.program,
        ["run", "--rm", "--name", "box"] + Self.words
          + [
            "--",
            "echo 'now' $(stty size); trap 'echo the end; exit 9' INT; while :; do read x && stty size; done",
          ],
        in: sandbox, size: (rows: 33, columns: 99))
      try await terminal.expect("now 33 99", within: .seconds(90))
      #expect(terminal.settings != terminal.original)
      terminal.resize(rows: 44, columns: 111)
      terminal.type("\n")
      try await terminal.expect("44 111")
      terminal.type("\u{3}")
      try await terminal.expect("the end")
      #expect(try await terminal.end(within: .seconds(60)) == 9)
      #expect(terminal.settings == terminal.original)
      #expect(!sandbox.exists("box"), "\(terminal.text)")
    }
  }
}
