import Testing

@testable import qvm

@Suite struct PassedOptionsTests {
  @Test func `results of several targets go to folders of their own`() {
    func words(_ value: String, isAlone: Bool = false) -> [String] {
      PassedOptions.words(["--output", value], for: "freebsd-14.2-arm64", isAlone: isAlone)
    }
    #expect(words("dist") == ["--output", "dist:freebsd-14.2-arm64/"])
    #expect(words("dist:out/") == ["--output", "dist:out/freebsd-14.2-arm64/"])
    #expect(words("dist:/") == ["--output", "dist:/freebsd-14.2-arm64/"])
    #expect(words("dist:out", isAlone: true) == ["--output", "dist:out"])
    #expect(PassedOptions.words(["--all"], for: "x", isAlone: false) == ["--all"])
  }

  @Test func `a matrix takes what concerns every run, and keeps the words`() throws {
    let spellings = Set(MatrixCommand.rows.flatMap(\.spellings))
    for option in ["--cpus", "--memory", "--qemu-arg", "--ready-timeout", "--ssh-address"] {
      #expect(spellings.contains(option))
    }
    for option in ["--rm", "--detach", "--platform", "--ssh-port", "--record-qmp", "--escape"] {
      #expect(!spellings.contains(option))
    }
    let words = ["--memory=1G", "freebsd:14.2", "--qemu-arg", "-s", "haiku", "-j", "2", "--", "id"]
    let matrix = try #require(try Parser<MatrixCommand>.parse(words[...]))
    #expect(matrix.passed == [["--memory", "1G"], ["--qemu-arg", "-s"]])
    #expect(matrix.targets == ["freebsd:14.2", "haiku"])
    #expect(matrix.jobs == 2 && matrix.command == ["id"])
    // No option means two things.
    #expect(spellings.count == MatrixCommand.rows.flatMap(\.spellings).count)
  }
}
