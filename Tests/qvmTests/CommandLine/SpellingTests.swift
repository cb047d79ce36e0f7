import Testing

@testable import qvm

@Suite struct SpellingTests {
  @Test(arguments: [
    ("", "", 0), ("a", "", 1), ("", "ab", 2), ("run", "run", 0), ("rnu", "run", 1),
    ("kitten", "sitting", 3), ("--nmae", "--name", 1), ("lst", "list", 1), ("ca", "abc", 3),
  ])
  func `a distance counts letters added, lost, changed and swapped`(
    a: String, b: String, distance: Int
  ) {
    #expect(Spelling.distance(from: Array(a.utf8), to: Array(b.utf8)) == distance)
    #expect(Spelling.distance(from: Array(b.utf8), to: Array(a.utf8)) == distance)
  }

  @Test(arguments: [
    ("rnu", "run"), ("lst", "list"), ("stat", "status"), ("stats", "status"), ("s", "status"),
    ("--mem", "--memory"), ("--plaform", "--platform"), ("-name", "--name"), ("rm", "rm"),
  ])
  func `the nearest word is found`(word: String, expected: String) {
    let known = ["run", "list", "rm", "status", "--memory", "--platform", "--name", "-d"]

    #expect(Spelling.closest(to: word, in: known) == expected)
  }

  @Test(arguments: ["", "-", "--", "-x", "x", "rx", "frobnicate", "--frobnicate"])
  func `where nothing is near, nothing is guessed`(word: String) {
    #expect(Spelling.closest(to: word, in: ["run", "rm", "list", "--name", "-d"]) == nil)
  }

  @Test func `of two words the nearer one is taken`() {
    #expect(Spelling.closest(to: "starr", in: ["stops", "start", "stars"]) == "start")
    #expect(Spelling.closest(to: "pruned", in: ["pulled", "prune"]) == "prune")
  }
}
