import Testing

@testable import qvm

@Suite struct RenderingTests {
  @Test func `columns are as wide as their widest cell, and lines have no spaces at their ends`() {
    var table = Table(["NAME", "STATE"])
    table.add(["a", "running"])
    table.add(["longer", ""])
    #expect(table.text == "NAME    STATE\na       running\nlonger\n")
  }

  @Test func `what others wrote is one line in its cell`() {
    var table = Table(["NAME", "STATE"])
    table.add(["a\u{1B}[2J", "x\nb  running"])
    #expect(table.text == "NAME" + #"        STATE"# + "\n" + #"a\u{1b}[2J  x\nb  running"# + "\n")
  }

  @Test(arguments: [
    (-5, "0 s"), (59, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h 0 min"),
    (90_000, "1 d 1 h"),
  ])
  func `spans are spelled in the two largest units`(seconds: Int, text: String) {
    #expect(Spelled.span(seconds) == text)
  }
}
