import TestSupport
import Testing

@testable import QVMControl

@Suite struct EnvironmentVariableTests {
  private func read(_ text: String) throws -> EnvironmentVariable? {
    try EnvironmentVariable.read(text) { $0 == "OWN" ? "mine" : nil }
  }

  @Test func `a variable has a value, an empty one, or this process's own`() throws {
    #expect(try read("A_1=x=y") == EnvironmentVariable(name: "A_1", value: "x=y"))
    #expect(try read("A=") == EnvironmentVariable(name: "A", value: ""))
    #expect(try read("OWN") == EnvironmentVariable(name: "OWN", value: "mine"))
    #expect(try read("OTHER") == nil)
  }

  @Test(arguments: ["", "=x", "1A=x", "A-B=x", "A B=x", "é=x", "A;id=x"])
  func `what is no name is refused`(text: String) {
    let name = String(text.prefix { $0 != "=" })
    #expect(throws: EnvironmentVariable.Failure.badName(name)) { try read(text) }
  }

  @Test func `a file has one on each line, and a bad line is named`() throws {
    let folder = try TemporaryFolder()
    let file = "\(folder.path)/variables"
    try Files.write(Array("# comment\n\nA=1 2\r\nB='x'\nC=".utf8), to: file)
    #expect(try EnvironmentVariable.read(file: file).map(\.name) == ["A", "B", "C"])
    #expect(try EnvironmentVariable.read(file: file).map(\.value) == ["1 2", "'x'", ""])
    try Files.write(Array("A=1\nexport B=2\n".utf8), to: file)
    let bad = EnvironmentVariable.Failure.badLine(file: file, line: 2, text: "export B=2")
    #expect(throws: bad) { try EnvironmentVariable.read(file: file) }
    try Files.write([0x41, 0x3D, 0xFF], to: file)
    #expect(throws: EnvironmentVariable.Failure.notText(file: file)) {
      try EnvironmentVariable.read(file: file)
    }
    #expect(throws: FileError.self) { try EnvironmentVariable.read(file: "\(folder.path)/none") }
  }
}
