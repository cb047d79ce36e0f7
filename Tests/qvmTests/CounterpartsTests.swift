import QVMControl
import Testing

@testable import qvm

/// The answers to what other programs have.
@Suite struct CounterpartsTests {
  private static let commands = [
    "restart", "shell", "delete", "create", "define", "halt", "kill", "purge", "resume",
    "domstate", "global-status", "fetch", "upgrade", "find", "viewer", "reset", "pause", "suspend",
    "snapshot", "scp", "rsync", "mount", "ports", "forward", "ip", "clone", "edit", "export",
    "autostart",
    "provision", "vm", "container",
  ]
  private static let options: [(command: String, options: [String])] = [
    (
      "run",
      [
        "-P", "--expose", "--mount", "--share", "-it", "--disk-size", "--drive", "--net", "--vnc",
        "-u",
      ]
    ),
    ("run", ["--restart"]), ("matrix", ["--platform", "--rm", "-d", "--ssh-port"]),
    ("start", ["--memory", "--rm", "-p"]),
    ("ssh", ["--port", "-u", "-i", "-L"]),
    ("rm", ["-r", "-rf"]), ("prune", ["-f", "-a"]), ("images", ["-a"]), ("list", ["--format"]),
  ]

  /// The word after each `'qvm `.
  private static func named(in text: String) -> [String] {
    text.split(separator: "'qvm ", omittingEmptySubsequences: false).dropFirst().compactMap {
      $0.split(whereSeparator: { " '".contains($0) }).first.map(String.init)
    }
  }

  @Test(arguments: commands)
  func `a command of other programs is answered by commands that qvm has`(word: String) throws {
    let known = Set(QVM.program.commands.map { $0.name.split(separator: " ")[0] }.map(String.init))
    let line = Counterparts.line(for: word).map { "'\($0)'" }
    let answer = try #require(line ?? Counterparts.sentence(for: word))
    for name in Self.named(in: answer) { #expect(known.contains(name), "\(answer)") }
    // What qvm has itself needs no answer.
    #expect(!known.contains(word))
    guard case .misuse(let error, .program) = QVM.program.parse([word, "x"]) else {
      Issue.record("'\(word)' was taken")
      return
    }
    #expect(error.advice != nil && error.message == "unknown command '\(word)'")
  }

  @Test(arguments: options)
  func `an option of other programs is answered`(command: String, options: [String]) throws {
    for option in options {
      guard case .misuse(let error, .command) = QVM.program.parse([command, option, "x"]) else {
        Issue.record("\(option) was taken by \(command)")
        continue
      }
      let answer = try #require(Counterparts.sentence(for: option, of: command))
      #expect(error == .absentOption(option, instead: answer))
    }
  }

  @Test func `of joined letters the one that qvm lacks is answered`() {
    for (words, letter) in [(["run", "-dit"], "-i"), (["run", "-u1000"], "-u")] {
      guard case .misuse(let error, _) = QVM.program.parse(words + ["freebsd", "14.2"]) else {
        Issue.record("\(words) were taken")
        continue
      }
      #expect(error.advice == Counterparts.sentence(for: letter, of: "run"))
    }
  }

  private func error(_ words: String...) -> UsageError? {
    if case .misuse(let error, _) = QVM.program.parse(words) { error } else { nil }
  }

  @Test func `a command for the guest is led to exec`() {
    #expect(
      error("start", "box", "--", "id", "-u")?.advice?.contains("'qvm exec box id -u'") == true)
    #expect(error("attach", "box", "--", "ls")?.advice?.contains("'qvm exec box ls'") == true)
    // Without a command after it, '--' only ends the options.
    #expect(error("start", "--", "box") == nil)
    #expect(error("rm", "a", "--", "b") == nil)
  }

  @Test func `a word that is no system is not called a missing version`() {
    for word in ["linux", "./x.iso"] {
      for command in ["run", "pull"] {
        guard case .run(let parsed) = QVM.program.parse([command, word]) else {
          Issue.record("\(command) \(word)")
          continue
        }
        let failure = #expect(throws: UsageError.self) { try parsed.run() }
        guard case .unknownSystem(word, let advice)? = failure else {
          Issue.record("\(command) \(word)")
          continue
        }
        for system in OperatingSystem.allCases { #expect(advice.contains(system.rawValue)) }
      }
    }
    let typo = SystemHint.advice(for: TargetError.unknownOperatingSystem("freebds"))
    #expect(typo?.hasPrefix("Did you mean 'freebsd'?") == true)
    #expect(SystemHint.advice(for: TargetError.badVersion("x")) == nil)
  }

  @Test func `an argument too many is led to where it belongs`() {
    #expect(
      error("list", "box")
        == .misplacedArgument("box", advice: "'qvm status box' shows one instance."))
    guard case .misplacedArgument("14.3", _)? = error("run", "freebsd", "14.2", "14.3") else {
      Issue.record("the second version was taken")
      return
    }
    #expect(error("run", "demo", "1", "ls") == .extraArgument("ls", takesTrailing: true))
  }

  @Test(arguments: [
    ("90", 90), ("90s", 90), ("5m", 300), ("2h", 7200), ("0", 0), ("-1", -1), ("s", nil), ("", nil),
    ("5x", nil), ("5 m", nil), ("1.5h", nil), ("9223372036854775807h", nil), ("5M", nil),
  ])
  func `a time may have a unit`(word: String, seconds: Int?) {
    #expect(Seconds(word: word)?.count == seconds)
  }
}
