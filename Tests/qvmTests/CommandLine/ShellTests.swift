import Foundation
import Testing

@testable import qvm

@Suite struct ShellTests {
  /// Completes in a real bash, whose `qvm` is a function that says what it was asked.
  private func bash(_ words: String, line: String = "", qvm: String) throws -> [String] {
    let process = Process()
    process.executableURL = URL(filePath: "/bin/bash")
    process.arguments = [
      "--norc", "-c",
      """
      qvm() { \(qvm); }
      \(Shell.bash.completionScript)
      COMP_LINE='\(line)'; COMP_POINT=${#COMP_LINE}
      COMP_WORDS=(\(words)); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
      COMPREPLY=(stale)
      _qvm
      (( ${#COMPREPLY[@]} )) && printf '%s\\n' "${COMPREPLY[@]}"
      exit 0
      """,
    ]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  @Test func `bash hands over the words up to the cursor, an empty one too`() throws {
    #expect(
      try bash("qvm run 'a b' ''", qvm: #"printf '<%s>\n' "$@""#)
        == ["<__complete>", "<run>", "<a b>", "<>"])
  }

  @Test func `bash gets the words without their explanations`() throws {
    #expect(
      try bash("qvm ''", qvm: #"printf 'run\tBoot * a guest.\nrm\tRemove?\n'"#) == ["run", "rm"])
  }

  @Test func `bash replaces only what is behind a colon`() throws {
    let qvm = #"printf 'freebsd:14.2\nfreebsd:14.1\n'"#
    #expect(
      try bash("qvm run freebsd : 1", line: "qvm run freebsd:1", qvm: qvm) == ["14.2", "14.1"])
    #expect(try bash("qvm run freebsd :", line: "qvm run freebsd:", qvm: qvm) == ["14.2", "14.1"])
  }

  @Test func `bash offers nothing where there is nothing, or an error`() throws {
    #expect(try bash("qvm x", qvm: "true") == [])
    #expect(try bash("qvm x", qvm: "return 1") == [])
  }

  @Test(arguments: Shell.allCases)
  func `each script names the command and asks it`(shell: Shell) {
    #expect(shell.completionScript.contains("qvm __complete"))
    #expect(shell.completionScript.hasSuffix("\n"))
    #expect(Shell(word: shell.rawValue) == shell)
  }
}
