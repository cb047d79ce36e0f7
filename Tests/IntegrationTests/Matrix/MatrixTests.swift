import Foundation
import QMPClient
import QVMControl
import TestSupport
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// `qvm matrix` with a guest that has an ssh server, by the command lines of several drivers.
@Suite(.timeLimit(.minutes(15))) struct MatrixTests {
  private static let options = ["--memory", "256M", "-j", "4"]

  private func plant(_ names: [String], in sandbox: Sandbox) async throws {
    for name in names { try await sandbox.plant(try LinuxGuest.linux.image, as: name) }
  }

  private func names(in sandbox: Sandbox) -> [String] {
    let path = sandbox.cache.appending(path: "instances").path
    return ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).filter {
      !$0.hasPrefix(".")
    }
  }

  @Test func `each target runs the command, and one that doesn't boot doesn't hold the others`()
    async throws
  {
    try await Sandbox.with { sandbox in
      try await plant(
        [
          "freebsd-14.2-x86-64", "netbsd-10.1-x86-64", "haiku-r1beta5-x86-64", "openbsd-7.6-x86-64",
        ],
        in: sandbox)
      let junit = sandbox.folder.appending(path: "results.xml")
      let logs = sandbox.folder.appending(path: "logs")
      // Haiku's driver alone has an Intel network card.
      let script = """
        echo "it's $(uname)"; printf 'no end'; echo error >&2
        case $(readlink /sys/class/net/*/device/driver) in *e1000*) exit 3;; esac
        """
      let run = try sandbox.start(
        try Sandbox.program,
        ["matrix", "--name", "t", "--json", "--logs", logs.path, "--junit", junit.path]
          + Self.options + ["freebsd:14.2/x86-64", "netbsd:10", "haiku", "openbsd/amd64", "--"]
          + [script])
      // What its firmware and its guest never do.
      try await eventually("the one that can't boot runs", within: .seconds(120)) {
        run.output.err.split(separator: "\n").contains {
          $0.hasPrefix("openbsd:7.6 ") && $0.hasSuffix("boots")
        }
      }
      let name = "t-openbsd-7.6-x86-64"
      kill(try #require(sandbox.pids(of: name).qemu), SIGKILL)
      let end = try await run.end(within: .seconds(400))
      #expect(end.status == 1, "\(end.err)")
      let targets = end.json["targets"]?.array ?? []
      #expect(
        targets.map { $0["result"]?.string } == ["passed", "passed", "failed", "not-ready"],
        "\(end.out) \(end.err)")
      #expect(targets.map { $0["exit"]?.int } == [0, 0, 3, nil])
      #expect(targets.prefix(3).allSatisfy { ($0["bootSeconds"]?.double ?? 0) > 0 })
      #expect(targets.map { $0["version"]?.string } == ["14.2", "10.1", "r1beta5", "7.6"])
      for label in ["freebsd:14.2 ", "netbsd:10.1 ", "haiku:r1beta5 "] {
        let lines = end.err.split(separator: "\n").filter { $0.hasPrefix(label) }
        for wanted in ["| it's Linux", "| no end", "| error"] {
          #expect(lines.contains { $0.hasSuffix(wanted) }, "\(label)\(wanted): \(end.err)")
        }
      }
      let log = try String(
        contentsOf: logs.appending(path: "freebsd-14.2-x86-64.log"), encoding: .utf8)
      #expect(log.contains("it's Linux\n") && log.contains("error\n"))
      let parser = XMLParser(data: try Data(contentsOf: junit))
      #expect(parser.parse())
      // Only the disk of the one that was killed is kept.
      #expect(names(in: sandbox) == [name])
    }
  }

  @Test func `the status is 0 if all have passed, and the lines are on their streams`() async throws
  {
    try await Sandbox.with { sandbox in
      try await plant(["freebsd-14.2-x86-64"], in: sandbox)
      let run = try sandbox.start(
        try Sandbox.program,
        ["matrix", "-q"] + Self.options + ["freebsd:14/x86-64", "--", "printf", "<%s>", "a  b", ""])
      let end = try await run.end(within: .seconds(200))
      #expect(end.status == 0, "\(end.err)")
      #expect(end.out.hasPrefix("freebsd:14.2 | <a  b><>\n"), "\(end.out)")
      let row = end.out.split(separator: "\n").last?.split(whereSeparator: \.isWhitespace)
      #expect(row?.prefix(3) == ["freebsd:14.2", "passed", "0"])
      #expect(end.err.isEmpty, "\(end.err)")
      #expect(names(in: sandbox).isEmpty)
    }
  }

  @Test func `a script on standard input is read once and runs on each target`() async throws {
    try await Sandbox.with { sandbox in
      try await plant(["freebsd-14.2-x86-64", "netbsd-10.1-x86-64"], in: sandbox)
      let end = try await sandbox.run(
        URL(filePath: "/bin/sh"),
        [
          "-c", #"printf 'echo "<$1>"\nfalse\necho not this\n' | "$0" "$@""#,
          try Sandbox.program.path, "matrix", "--json", "--script", "-",
        ] + Self.options + ["freebsd:14/x86-64", "netbsd:10", "--", "a  b"])
      #expect(end.status == 1, "\(end.err)")
      let targets = end.json["targets"]?.array ?? []
      #expect(targets.map { $0["exit"]?.int } == [1, 1], "\(end.err)")
      let lines = end.err.split(separator: "\n").filter { $0.hasSuffix("| <a  b>") }
      #expect(lines.count == 2, "\(end.err)")
      #expect(!end.err.contains("not this"))
    }
  }

  @Test func `Ctrl-C ends the command everywhere and shuts all guests down, and the table comes`()
    async throws
  {
    try await Sandbox.with { sandbox in
      try await plant(["freebsd-14.2-x86-64", "netbsd-10.1-x86-64"], in: sandbox)
      let run = try TerminalSession(
        try Sandbox.program,
        [
          "matrix", "--name", "t", "-j", "2", "--memory", "256M", "freebsd:14.2", "netbsd:10.1",
          "--",
        ]
          + ["echo be'gun'; sleep 300"], in: sandbox)
      try await run.expect("begun", within: .seconds(200))
      try await run.expect("begun", within: .seconds(200))
      run.type("\u{3}")
      try await run.expect("RESULT", within: .seconds(120))
      #expect(try await run.end(within: .seconds(10)) == 130)
      #expect(
        run.text.split(whereSeparator: \.isNewline).count { $0.contains(" interrupted ") } == 2,
        "\(run.text)")
      // They are removed only after a confirmed shutdown.
      #expect(names(in: sandbox).isEmpty, "\(run.text)")
      #expect(!run.text.contains("forced"), "\(run.text)")
    }
  }

  @Test func `if it is killed, its VMs end all the same`() async throws {
    try await Sandbox.with { sandbox in
      try await plant(["freebsd-14.2-x86-64"], in: sandbox)
      let run = try sandbox.start(
        try Sandbox.program,
        ["matrix"] + Self.options + ["freebsd:14.2", "--", "echo begun; sleep 300"])
      try await eventually("the command runs", within: .seconds(200)) {
        run.output.out.contains("| begun")
      }
      run.signal(SIGKILL)
      _ = try await run.end()
      try await eventually("nothing is left", within: .seconds(120)) { sandbox.processes.isEmpty }
      #expect(names(in: sandbox).isEmpty)
    }
  }

  private static let refused: [(words: [String], status: Int32, says: String)] = [
    (["freebsd:14.2", "haiku:r1beta9", "--", "id"], 1, "r1beta5"),
    (["freebsd:14.2", "haiku:r9", "--", "id"], 1, "r1beta5"),
    (["freebsd:14.2", "freebsd:14", "--", "id"], 64, "two targets"),
    (["freebsd", "14.2", "--", "id"], 64, "freebsd:14.2"), (["freebsd:14.2"], 64, "COMMAND"),
    (["freebsd:14.2", "--", ""], 64, "COMMAND"), (["linux", "--", "id"], 64, "linux"),
    (["demo", "--", "id"], 1, "ssh"), (["-j", "0", "freebsd:14.2", "--", "id"], 64, "--jobs"),
    (["--memory", "4", "freebsd:14.2", "--", "id"], 64, "4 MiB"),
    (["--cpus", "x", "freebsd:14.2", "--", "id"], 64, "--cpus"),
    (["--name", "a/b", "freebsd:14.2", "--", "id"], 64, "a/b"),
    (["--junit", "/none/x.xml", "freebsd:14.2", "--", "id"], 1, "/none"),
    (["--logs", "/proc/x", "freebsd:14.2", "--", "id"], 1, "/proc/x"),
    (["--detach", "freebsd:14.2", "--", "id"], 64, "--detach"),
  ]

  @Test func `what can't be done fails before the first boot`() async throws {
    try await Sandbox.with { sandbox in
      let server = try await ReleasedImage.serve("v0.1.0", in: &sandbox)
      try await sandbox.plant(.demo, as: "freebsd-14.2-x86-64")
      for (words, status, says) in Self.refused {
        let result = try await sandbox.qvm(["matrix"] + words)
        #expect(result.status == status, "\(words): \(result.err)")
        #expect(result.err.contains(says), "\(words): \(result.err)")
        #expect(result.out.isEmpty)
        #expect(names(in: sandbox).isEmpty, "\(words)")
      }
      try FileManager.default.createDirectory(
        at: sandbox.folder(of: "t-freebsd-14.2-x86-64"), withIntermediateDirectories: true)
      let taken = try await sandbox.qvm("matrix", "--name", "t", "freebsd:14.2", "--", "id")
      #expect(taken.reports(MatrixError.nameTaken("t-freebsd-14.2-x86-64")), "\(taken.err)")
      _ = server
    }
  }
}
