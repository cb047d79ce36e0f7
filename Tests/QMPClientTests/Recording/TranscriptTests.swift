import QMPClient
import Testing

@Suite struct TranscriptTests {
  @Test func `comments and steps come out with the numbers of their lines`() throws {
    let transcript = try Transcript(
      parsing: """
        # qmp transcript 1
        # about it
        <- {"QMP": {}}
        # QEMU 7.2.22
        -> {"execute":"quit","id":1}
        <- EOF

        """, name: "a.qmp")
    #expect(transcript.comments == ["about it", "QEMU 7.2.22"])
    #expect(transcript.steps.map(\.line) == [3, 5, 6])
    #expect(
      transcript.steps.map(\.step) == [
        .qemu(#"{"QMP": {}}"#), .client(#"{"execute":"quit","id":1}"#), .qemuHungUp,
      ])
    #expect(
      transcript.steps.map(\.step.line) == [
        #"<- {"QMP": {}}"#, #"-> {"execute":"quit","id":1}"#, "<- EOF",
      ])
  }

  @Test(
    arguments: [
      ("", 1, "expected '# qmp transcript 1'"), ("<- {}\n", 1, "expected '# qmp transcript 1'"),
      ("# qmp transcript 2\n", 1, "expected '# qmp transcript 1'"),
      ("# qmp transcript 1\n<- {}\n{}\n", 3, "expected '->', '<-' or '#'"),
      ("# qmp transcript 1\n\n<- {}\n", 2, "expected '->', '<-' or '#'"),
      ("# qmp transcript 1\n<-{}\n", 2, "expected '->', '<-' or '#'"),
      ("# qmp transcript 1\n<- {\"retu", 2, "the line is not whole"),
    ] as [(String, Int, String)])
  func `anything else is an error with file and line`(text: String, line: Int, reason: String) {
    #expect {
      _ = try Transcript(parsing: text, name: "a.qmp")
    } throws: { "\($0)" == "a.qmp:\(line): \(reason)" }
  }
}
