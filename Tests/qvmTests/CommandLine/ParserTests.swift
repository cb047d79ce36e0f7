import Testing

@testable import qvm

@Suite struct ParserTests {
  private func run(_ words: String...) throws(UsageError) -> SampleRun? {
    try Parser<SampleRun>.parse(words[...])
  }

  @Test func `arguments and options may stand in any order`() throws {
    let expected = SampleRun(
      operatingSystem: "freebsd", version: "14.2", instance: "web", cpus: 4, removes: true)

    #expect(try run("freebsd", "14.2", "--name", "web", "-n", "4", "--rm") == expected)
    #expect(try run("freebsd", "14.2", "--name", "web", "-n4", "--rm") == expected)
    #expect(try run("--name=web", "--cpus=4", "--rm", "freebsd", "14.2") == expected)
    #expect(try run("freebsd", "--rm", "--cpus", "4", "14.2", "--name", "web") == expected)
  }

  @Test func `what is not given keeps its default`() throws {
    #expect(
      try run("freebsd", "14.2") == SampleRun(operatingSystem: "freebsd", version: "14.2"))
  }

  @Test func `an option takes the next word whatever it looks like`() throws {
    let parsed = try run("--qemu-arg", "-d", "a", "--qemu-arg", "--", "b", "--name", "--rm")

    #expect(parsed?.words == ["-d", "--"])
    #expect(parsed?.instance == "--rm")
    #expect(parsed?.removes == false)
    #expect(parsed?.detaches == false)
  }

  @Test(arguments: [
    ("--name=", ""), ("--name=a=b", "a=b"), ("--name==", "="), ("--name=--rm", "--rm"),
    ("--name=\u{301}x", "\u{301}x"),
  ])
  func `an attached value is all that follows the first equals sign`(
    word: String, value: String
  ) throws {
    let instance = try run("a", "b", word)?.instance

    #expect(instance.map { Array($0.utf8) } == Array(value.utf8))
  }

  @Test func `an option that can do without its value takes numbers alone`() throws {
    let parse = { (words: [String]) throws(UsageError) in try Parser<LogsCommand>.parse(words[...])
    }
    for (words, boot, names) in [
      (["--boot", "box"], 0, ["box"]), (["--boot", "-1", "box"], -1, ["box"]),
      (["box", "--boot"], 0, ["box"]), (["--boot=2", "box"], 2, ["box"]),
      (["--boot", "--raw", "box"], 0, ["box"]),
    ] {
      let command = try parse(words)
      #expect(command?.boot == boot, "\(words)")
      #expect(command?.names == names, "\(words)")
    }
    #expect(
      throws: UsageError.badValue(parameter: "--boot", word: "x", expected: "a whole number")
    ) { try parse(["--boot=x", "box"]) }
  }

  @Test func `of an option given twice the last one counts`() throws {
    #expect(try run("--name", "a", "os", "1", "--name=b")?.instance == "b")
    #expect(try run("--shutdown-timeout", "1", "--shutdown-timeout=2", "os", "1")?.timeout == 2)
  }

  @Test func `the words after two dashes are the guest's, as they are`() throws {
    let parsed = try run("a", "b", "--", "ls", "--rm", "--", "--help", "")

    #expect(parsed?.command == ["ls", "--rm", "--", "--help", ""])
    #expect(parsed?.removes == false)
  }

  @Test(arguments: [[], [""], ["", ""]])
  func `two dashes without a command after them are misuse`(words: [String]) {
    #expect(throws: UsageError.emptyTrailing(placeholder: "COMMAND")) {
      try Parser<SampleRun>.parse(["a", "b", "--"] + words[...])
    }
  }

  @Test(arguments: [
    ["-l", "root", "box", "ls", "-l", "--", "-x"], ["-lroot", "--", "box", "ls", "-l", "--", "-x"],
    ["box", "--user=root", "--", "ls", "-l", "--", "-x"],
  ])
  func `a command that needs no dashes begins with the first word after the arguments`(
    words: [String]
  ) throws {
    let parsed = try #require(try Parser<SSHCommand>.parse(words[...]))
    #expect(parsed.instance == "box" && parsed.user == "root")
    #expect(parsed.command == ["ls", "-l", "--", "-x"])
  }

  @Test(arguments: [["box", "--"], ["box", ""], ["box", "--", "", ""], ["--", "box", ""]])
  func `an empty command is none, with and without dashes`(words: [String]) {
    #expect(throws: UsageError.emptyTrailing(placeholder: "COMMAND")) {
      try Parser<SSHCommand>.parse(words[...])
    }
  }

  @Test func `the options that scp, sftp and rsync give are taken, and git's probe is not`() throws
  {
    let scp = try Parser<SSHCommand>.parse([
      "-x", "-oPermitLocalCommand=no", "-oForwardX11 no", "-l", "me", "-s", "--", "box", "sftp",
    ])
    #expect(scp?.options == ["-o", "PermitLocalCommand=no", "-o", "ForwardX11 no"])
    #expect(scp?.isSubsystem == true && scp?.instance == "box" && scp?.command == ["sftp"])
    #expect(throws: UsageError.self) {
      try Parser<SSHCommand>.parse(["-G", "-o", "SendEnv=GIT_PROTOCOL", "box"])
    }
  }

  @Test func `where nothing is trailing, two dashes end the options`() throws {
    #expect(
      try Parser<SampleRemove>.parse(["a", "--", "--help", "-", "--"])
        == SampleRemove(instances: ["a", "--help", "-", "--"]))
  }

  @Test func `a lone dash is an argument`() throws {
    #expect(try run("-", "1")?.operatingSystem == "-")
  }

  @Test(arguments: ["--help", "-h"])
  func `help is asked for by either spelling, and nothing else is needed`(word: String) throws {
    #expect(try run(word) == nil)
    #expect(try run("freebsd", "--rm", word, "--unknown") == nil)
  }

  @Test func `an argument that may be missing may be missing`() throws {
    #expect(try Parser<SampleLog>.parse([]) == SampleLog())
    #expect(try Parser<SampleLog>.parse(["5"]) == SampleLog(lines: 5))
    #expect(
      try Parser<SampleLog>.parse(["5", "a", "b"]) == SampleLog(lines: 5, instances: ["a", "b"]))
  }

  @Test func `short flags may be joined, those with a value may not`() throws {
    let list = try Parser<ListCommand>.parse(["-aq"])
    #expect(list?.isQuiet == true)
    let boot = try Parser<qvm.RunCommand>.parse(["-qd", "demo", "1"])
    #expect(boot?.isQuiet == true && boot?.detaches == true)
    #expect(throws: UsageError.self) { try Parser<ListCommand>.parse(["-qz"]) }
    #expect(throws: UsageError.self) { try run("a", "b", "-dn") }
  }

  @Test func `an enumeration is read by its words`() throws {
    #expect(try run("a", "b", "--colour", "always")?.colour == .always)
  }

  static let failures: [([String], UsageError)] = [
    ([], .missingArgument(placeholder: "OS")),
    (["freebsd"], .missingArgument(placeholder: "VERSION")),
    (["--rm", "--", "ls"], .missingArgument(placeholder: "OS")),
    (["a", "b", "c"], .extraArgument("c", takesTrailing: true)),
    (["a", "b", "--nmae", "c"], .unknownOption("--nmae", closest: "--name")),
    (["--nmae=c"], .unknownOption("--nmae", closest: "--name")),
    (["--hlep"], .unknownOption("--hlep", closest: "--help")),
    (["-rm"], .unknownOption("-rm", closest: "--rm")),
    (["-z"], .unknownOption("-z", closest: nil)),
    (["-nx"], .unknownOption("-nx", closest: "-n")),
    (["-n=4"], .unknownOption("-n=4", closest: nil)),
    (["-5"], .unknownOption("-5", closest: nil)),
    (["---"], .unknownOption("---", closest: nil)),
    (["--="], .unknownOption("--", closest: nil)),
    (["a", "b", "--name"], .missingValue(option: "--name", placeholder: "NAME")),
    (["a", "b", "-n"], .missingValue(option: "-n", placeholder: "N")),
    (["--rm=yes"], .unexpectedValue(option: "--rm", value: "yes")),
    (
      ["--cpus", "four"],
      .badValue(parameter: "--cpus", word: "four", expected: "a whole number")
    ),
    (["--cpus="], .badValue(parameter: "--cpus", word: "", expected: "a whole number")),
    (
      ["--shutdown-timeout=99999999999999999999"],
      .badValue(
        parameter: "--shutdown-timeout", word: "99999999999999999999", expected: "a whole number")
    ),
    (
      ["--colour", "Never"],
      .badValue(parameter: "--colour", word: "Never", expected: "one of always, never")
    ),
  ]

  @Test(arguments: failures)
  func `wrong words are an error that names them`(words: [String], error: UsageError) {
    #expect(throws: error) { try Parser<SampleRun>.parse(words[...]) }
  }

  @Test func `a command without parameters takes no word`() throws {
    #expect(try Parser<SamplePath>.parse([]) == SamplePath())
    #expect(throws: UsageError.extraArgument("x", takesTrailing: false)) {
      try Parser<SamplePath>.parse(["x"])
    }
  }

  @Test func `one or more means one at least`() {
    #expect(throws: UsageError.missingArgument(placeholder: "NAME")) {
      try Parser<SampleRemove>.parse([])
    }
    #expect(
      throws: UsageError.badValue(parameter: "<LINES>", word: "x", expected: "a whole number")
    ) {
      try Parser<SampleLog>.parse(["x"])
    }
  }
}
