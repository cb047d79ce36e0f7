import Testing

@testable import qvm

@Suite struct RenderingTests {
  @Test func `columns are as wide as their widest cell, and lines have no spaces at their ends`() {
    var table = Table(["NAME", "STATE"])
    table.add(["a", "running"])
    table.add(["longer", ""])
    #expect(table.text == "NAME    STATE\na       running\nlonger\n")
  }

  @Test(arguments: [
    (nil, "NAME  OS       STATE"), (20, "NAME  OS       STATE"), (19, "NAME  STATE"),
    (11, "NAME  STATE"), (10, "STATE"), (1, "STATE"),
  ])
  func `what doesn't fit loses columns in their order, and never the rest`(
    width: Int?, titles: String
  ) {
    var table = Table(["NAME", "OS", "STATE"])
    table.add(["a", "freebsd", "paused"].map { String($0.prefix(5)) })
    table.add(["b", "haiku r", "-"])
    table.fit(in: width, leavingOut: ["SIZE", "OS", "NAME"])
    let lines = table.text.split(separator: "\n")
    #expect(lines.first.map(String.init) == titles)
    #expect(lines.count == 3)
    #expect(lines.allSatisfy { $0.contains("paus") || $0.contains("-") || $0.contains("STATE") })
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
    #expect(DurationText.span(seconds) == text)
  }
}
