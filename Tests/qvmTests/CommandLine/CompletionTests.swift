import Testing

@testable import qvm

@Suite struct CompletionTests {
  private func words(_ words: [String]) -> [String] {
    Program.sample.complete(words[...]).offers.map(\.word)
  }

  static let cases: [([String], [String])] = [
    ([], ["run", "rm", "log", "config", "image"]),
    ([""], ["run", "rm", "log", "config", "image"]),
    (["r"], ["run", "rm"]),
    (["-"], ["--help", "--version"]),
    (["--v"], ["--version"]),
    (["config", ""], ["print-path"]),
    (["config", "x"], []),
    (["image", "l"], []),
    (["nothing", ""], []),
    (["nothing", "at", ""], []),
    (["config", "print-path", ""], []),
    (["run", "fr"], ["freebsd"]),
    (["run", "freebsd", ""], []),
    (["run", "--rm", "-d", "fr"], ["freebsd"]),
    (["run", "--name", "fr", "o"], ["openbsd", "omnios"]),
    (["run", "--name=fr", "o"], ["openbsd", "omnios"]),
    (["run", "-n", "4", "o"], ["openbsd", "omnios"]),
    (["run", "--n"], ["--name"]),
    (["run", "freebsd", "14.2", "--r"], ["--record", "--rm"]),
    (["run", "--name", ""], ["web", "db"]),
    (["run", "--name", "w"], ["web"]),
    (["run", "--colour", ""], ["always", "never"]),
    (["run", "--colour=a"], ["--colour=always"]),
    (["run", "--rm="], []),
    (["run", "--unknown="], []),
    (["run", "--unknown", "h"], ["haiku"]),
    (["run", "--qemu-arg", "--", "h"], ["haiku"]),
    (["run", "--", ""], []),
    (["run", "a", "b", "--", "-"], []),
    (["rm", ""], ["web", "db"]),
    (["rm", "web", "d"], ["db"]),
    (["delete", "--", "w"], ["web"]),
    (["delete", "--", "-"], []),
    (["rm", "-"], ["--help"]),
    // Bash takes words apart at equals signs and colons.
    (["run", "--colour", "="], ["always", "never"]),
    (["run", "--colour", "=", "n"], ["never"]),
    (["run", "--colour", "=", "never", "h"], ["haiku"]),
    (["run", "--name", "a", ":", "b", "h"], ["haiku"]),
    (["run", "--name", "=", "a", ":", "b", "h"], ["haiku"]),
  ]

  @Test(arguments: cases)
  func `what can stand at the cursor is offered`(typed: [String], offers: [String]) {
    #expect(words(typed) == offers)
    #expect(!Program.sample.complete(typed[...]).wantsFiles)
  }

  @Test(arguments: [["run", "--record", ""], ["run", "--record", "/et"], ["run", "--record=/e"]])
  func `where a file belongs the shell is told so`(typed: [String]) {
    #expect(Program.sample.complete(typed[...]) == Completion(wantsFiles: true))
  }

  @Test func `an offer and its explanation are a tab apart`() {
    #expect(
      Program.sample.complete(["run", "--d"]).text == "--detach\tReturn at once.\n")
    #expect(Program.sample.complete(["run", "h"]).text == "haiku\n")
    #expect(Program.sample.complete(["run", "x"]).text == "")
  }

  @Test func `a hidden command asks for it`() {
    guard case .complete(let completion) = Program.sample.parse(["__complete", "run", "h"]) else {
      Issue.record("completion was not asked for")
      return
    }
    #expect(completion.offers == [.init("haiku")])
  }
}
