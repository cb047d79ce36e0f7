import Testing

@testable import QVMControl

@Suite struct InstanceNameTests {
  @Test(arguments: [
    "a", "7", "vm-1", "Foo.bar_baz-9", "con", "a..b", "a.", "qvm-tibaru",
    String(repeating: "x", count: 63),
  ])
  func `letters, digits, dots, dashes and underscores make a name`(text: String) throws {
    #expect(try InstanceName(text).text == text)
    #expect("\(try InstanceName(text))" == text)
  }

  @Test(arguments: [
    "", ".", "..", "../x", "-x", "_x", ".hidden", "a/b", "/a", "a b", "a\n", "a\0b", "a,b", "a:b",
    "a=b", "a'b", "a\"b", "a$b", "a*", "ä", "日本", "a\u{301}", String(repeating: "x", count: 64),
    String(repeating: "x", count: 300),
  ])
  func `anything else is refused as a usage error that repeats it`(text: String) {
    let error = #expect(throws: InstanceError.badName(text)) { try InstanceName(text) }
    #expect(error?.exitStatus == .usage)
    #expect(error?.message == "'\(text)' is not a valid instance name")
  }

  @Test func `random names are names, can be said aloud, and differ`() throws {
    let names = (0..<200).map { _ in InstanceName.random().text }
    for name in names {
      #expect(try InstanceName(name).text == name)
      #expect(name.wholeMatch(of: /qvm-([bdfgklmnprstvz][aeiou]){3}/) != nil)
    }
    #expect(Set(names).count > 190)
  }
}
