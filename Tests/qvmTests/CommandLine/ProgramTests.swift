import QVMControl
import Testing

@testable import qvm

@Suite struct ProgramTests {
  private let program = qvm.Program.sample

  private func command(_ words: String...) -> (any Command)? {
    if case .run(let command) = program.parse(words) { command } else { nil }
  }

  private func text(_ words: String...) -> String? {
    if case .print(let text) = program.parse(words) { text } else { nil }
  }

  private func error(_ words: String...) -> (UsageError, guidance: UsageGuidance)? {
    if case .misuse(let error, let guidance) = program.parse(words) {
      (error, guidance)
    } else {
      nil
    }
  }

  @Test func `a command is found by its name or an alias`() {
    let expected = SampleRemove(instances: ["web"])

    #expect(command("rm", "web") as? SampleRemove == expected)
    #expect(command("delete", "web") as? SampleRemove == expected)
  }

  @Test func `the longest name wins`() {
    #expect(command("config", "print-path") is SamplePath)
    #expect(command("image", "list") is SampleImageList)
    #expect(command("image", "lists") as? SampleImage == SampleImage(image: "lists"))
  }

  @Test func `without words, or asked, it prints the help`() {
    let help = program.help

    #expect(text() == help)
    #expect(text("--help") == help)
    #expect(text("-h", "rm") == help)
    #expect(text("help") == help)
  }

  @Test func `a command's help can be asked for in two ways`() {
    let help = program.help(for: SamplePath.self)

    #expect(text("config", "print-path", "--help") == help)
    #expect(text("config", "--help") == help)
    #expect(text("help", "config", "print-path") == help)
    #expect(text("delete", "--help") == program.help(for: SampleRemove.self))
  }

  @Test func `the version is a line of its own`() {
    #expect(text("--version") == "1.2.3\n")
    #expect(text("version") == "1.2.3\n")
  }

  static let failures: [([String], UsageError)] = [
    (["rnu"], .unknownCommand("rnu", closest: "qvm run")),
    (["delte", "x"], .unknownCommand("delte", closest: "qvm delete")),
    (["xyz"], .unknownCommand("xyz", closest: nil)),
    ([""], .unknownCommand("", closest: nil)),
    (["help", "rnu"], .unknownCommand("rnu", closest: "qvm run")),
    (["config"], .incompleteCommand("config", commands: ["qvm config print-path"])),
    (["config", "--json"], .incompleteCommand("config", commands: ["qvm config print-path"])),
    (
      ["config", "print-pth"], .unknownCommand("config print-pth", closest: "qvm config print-path")
    ),
    (["config", "set"], .unknownCommand("config set", closest: "qvm config print-path")),
    (["confg"], .unknownCommand("confg", closest: "qvm config print-path")),
    (["--verson"], .unknownOption("--verson", closest: "--version")),
    (["--json=1"], .unknownOption("--json", closest: nil)),
    (["-"], .unknownOption("-", closest: nil)),
    (["--", "rm"], .unknownOption("--", closest: nil)),
  ]

  @Test(arguments: failures)
  func `a command line without a known command prints the whole help`(
    words: [String], error: UsageError
  ) {
    guard case .misuse(let found, let guidance) = program.parse(words) else {
      Issue.record("\(words) were taken")
      return
    }
    #expect(found == error)
    #expect(guidance == .program(help: program.help))
    #expect(found.exitStatus == .usage)
  }

  @Test func `a usage error of a command prints its usage line and where its help is`() throws {
    let misuse = try #require(error("rm", "--force"))

    #expect(misuse.0 == .unknownOption("--force", closest: nil))
    #expect(misuse.guidance == .command(usage: "qvm rm <NAME>...", help: "qvm rm --help"))
  }

  static let texts: [(UsageError, message: String, advice: String?)] = [
    (
      .unknownCommand("lst", closest: "qvm list"), "unknown command 'lst'",
      "Try 'qvm list'."
    ),
    (.unknownCommand("x", closest: nil), "unknown command 'x'", nil),
    (.unknownOption("--nam", closest: "--name"), "unknown option '--nam'", "Try '--name'."),
    (
      .incompleteCommand("config", commands: ["qvm config a", "qvm config b"]),
      "'config' needs a subcommand", "Try 'qvm config a' or 'qvm config b'."
    ),
    (
      .missingValue(option: "--name", placeholder: "NAME"), "--name needs a value: --name <NAME>",
      nil
    ),
    (.unexpectedValue(option: "--rm", value: "x"), "--rm takes no value, but got 'x'", nil),
    (
      .badValue(parameter: "--cpus", word: "x", expected: "a whole number"),
      "--cpus must be a whole number, not 'x'", nil
    ),
    (.missingArgument(placeholder: "NAME"), "<NAME> is missing", "'qvm list' shows all instances."),
    (.extraArgument("x", takesTrailing: false), "unexpected argument 'x'", nil),
    (
      .extraArgument("ls", takesTrailing: true), "unexpected argument 'ls'",
      "Put a command for the guest after '--'."
    ),
    (.absentCommand("pause", instead: "So."), "unknown command 'pause'", "So."),
    (.absentOption("-p", instead: "So."), "unknown option '-p'", "So."),
    (.unknownSystem("x", advice: "So."), "'x' is not an operating system that qvm knows", "So."),
    (.misplacedArgument("x", advice: "So."), "unexpected argument 'x'", "So."),
    (
      .takesNoCommand("qvm start", advice: "So."), "'qvm start' takes no command for the guest",
      "So."
    ),
  ]

  @Test(arguments: texts)
  func `an error is one line, and says what to try`(
    error: UsageError, message: String, advice: String?
  ) {
    #expect(error.message == message)
    #expect(error.advice == advice)
  }
}
