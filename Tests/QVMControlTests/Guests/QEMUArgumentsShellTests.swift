import Foundation
import QVMControl
import Testing

@Suite struct QEMUArgumentsShellTests {
  private static let paths = DriverPaths(cache: "/cache", image: "/disk.qcow2")

  @Test(arguments: Driver.specified)
  func `a driver's command looks as the specification shows it`(driver: Driver) throws {
    let specification = try SpecifiedCommand(driver, paths: Self.paths)

    #expect(QEMUArguments(driver.command(Self.paths)).shellText() == specification.text)
  }

  static let hostileWords = [
    "", " ", "a b", "'", "''", "it's", "\"", "\\", "\\n", "\n", "a\r\nb", "\t", "$HOME", "$(id)",
    "`id`", "*", "?",
    "[a]", "{a,b}", "~", "~root", "#x", "a#b", ";", "&", "|", "<", ">", "(", ")", "!", "!!", "=ls",
    "a=b",
    "-", "--", "-x y", "%s", "é", "日本", "'\u{301}", "a'\u{301}b", "-\u{301}", "\u{1b}[31m",
    "\u{7f}",
    "/a:b,c@d+e_f.g", "\\\n", "^", "if",
  ]

  @Test(arguments: ["/bin/sh", "/bin/bash"])
  func `pasted into a shell the text gives the same words`(shell: String) throws {
    let words = ["printf", #"%s\0"#] + Self.hostileWords
    let text = QEMUArguments(words).shellText(ownFrom: 9)

    let output = try output(of: shell, ["-c", text])

    let read = output.split(separator: 0, omittingEmptySubsequences: false).dropLast()
    #expect(read.map(Array.init) == Self.hostileWords.map { Array($0.utf8) })
  }

  @Test func `a program's name is never taken for an assignment`() throws {
    let text = QEMUArguments(["a=b", "c=d"]).shellText()

    #expect(text == "'a=b' \\\n".dropLast(3) + " c=d\n")
  }

  @Test func `a word that zsh alone would expand is quoted`() {
    #expect(QEMUArguments(["q", "=ls", "a=ls"]).shellText() == "q '=ls' a=ls\n")
  }

  @Test func `words that a shell takes as they are stay unquoted`() {
    let words = ["qemu", "-drive", "if=none,file=/a_b-c.d/e:f@g+h%20", "-m", "6G"]

    #expect(
      QEMUArguments(words).shellText()
        == "qemu \\\n  -drive if=none,file=/a_b-c.d/e:f@g+h%20 \\\n  -m 6G\n")
  }

  @Test(arguments: [
    (4, 3, "q \\\n  -a 1 x \\\n  -b\n"), (3, 3, "q \\\n  -a 1 \\\n  x \\\n  -b\n"),
    (1, 2, "q \\\n  -a 1 x \\\n  -b\n"), (5, 4, "q \\\n  -a 1 x \\\n  -b\n"),
  ])
  func `qvm's own words begin a line, whose number is known`(
    index: Int, line: Int, text: String
  ) {
    let arguments = QEMUArguments(["q", "-a", "1", "x", "-b"])

    #expect(arguments.shellText(ownFrom: index) == text)
    #expect(arguments.shellLine(ofOwnFrom: index) == line)
  }

  @Test func `a word's own newlines count as lines`() {
    #expect(QEMUArguments(["q", "-a", "1\n2\r\n3", "-b"]).shellLine(ofOwnFrom: 3) == 5)
  }

  private func output(of program: String, _ arguments: [String]) throws -> Data {
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return data
  }
}
