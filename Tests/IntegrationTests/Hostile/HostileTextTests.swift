import Foundation
import QVMControl
import TestSupport
import Testing

/// Names, versions, systems and platforms made to get somewhere: all are refused as misuse, and
/// nothing at all happens.
@Suite(.timeLimit(.minutes(15))) struct HostileTextTests {
  /// What programs have stumbled over before.
  private static let hostile = [
    "", " ", ".", "..", "...", "../x", "../../etc/passwd", "/", "/etc/passwd", "a/b", "a/../b",
    "./a", "a/", "\\", "a\\b", "C:\\x", "-", "--", "-x", "-rf", "--name", "--help=x", "-oX", "=",
    "a=b", "~", "~root", "$HOME", "$(id)", "`id`", "${x}", "a;b", "a|b", "a&b", "a>b", "a<b", "a b",
    "a\tb", "a\nb", "a\rb", "\u{1B}[2J", "\u{7F}", "\u{1}", "'", "\"", "a'b", "a\"b", "%00",
    "%2e%2e",
    "%2F", "%s%n", "?x", "a?b", "a#b", "a*b", "[1-3]", "{a,b}", "{1..9}", "!x", "a@b", "a:b",
    "tcp:1", "a,b", ",format=raw", "a,,b", "é", "ｆ", "雪", "\u{202E}x", "\u{200B}", "\u{FEFF}x", "１",
    "e\u{301}", String(repeating: "a", count: 300), String(repeating: "9", count: 4000),
  ]

  /// Where a word can stand, and which of the words are no misuse there.
  private static let places: [(name: String, words: @Sendable (String) -> [String])] = [
    ("name", { ["run", "-d", "--name", $0, "demo", "1"] }),
    ("version", { ["run", "-d", "freebsd", $0] }),
    ("system", { ["run", "-d", $0, "14.2"] }),
    ("platform", { ["run", "-d", "--platform", $0, "freebsd", "14.2"] }),
    ("pull", { ["pull", "freebsd", $0] }),
    ("rm", { ["rm", "--force", $0] }),
    ("stop", { ["stop", $0] }),
    ("start", { ["start", $0] }),
  ]

  /// These words are options, and mean what they say.
  private static let options = ["--", "--name"]

  @Test func `hostile words touch neither disk nor network`() async throws {
    try await Sandbox.with { sandbox in
      let server = try ReleaseServer.start(root: sandbox.folder.appending(path: "served"))
      sandbox.environment["QVM_BASE_URL"] = server.baseURL
      try FileManager.default.createDirectory(
        at: sandbox.cache.appending(path: "instances/kept"), withIntermediateDirectories: true,
        attributes: [.posixPermissions: 0o700])
      let before = try tree(sandbox)
      var count = 0
      for (index, word) in Self.hostile.enumerated() where !Self.options.contains(word) {
        // Each word in three of the places, and in others another time than its neighbours.
        for step in [0, 3, 5] {
          let place = Self.places[(index + step) % Self.places.count]
          let result = try await sandbox.qvm(place.words(word))
          count += 1
          #expect(result.status == 64, "\(place.name) \(word.debugDescription): \(result.err)")
          #expect(result.out == "", "\(place.name) \(word.debugDescription)")
          // What is quoted of it does nothing to the terminal.
          let acting = result.err.unicodeScalars.filter {
            $0.properties.generalCategory == .control && $0 != "\n" && $0 != "\t"
              || $0 == "\u{202E}"
          }
          #expect(acting.isEmpty, "\(place.name) \(word.debugDescription): \(result.err)")
        }
      }
      #expect(count >= 200)
      #expect(try tree(sandbox) == before)
      #expect(server.requests.isEmpty)
    }
  }

  /// Every file below the sandbox but what the commands printed.
  private func tree(_ sandbox: Sandbox) throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: sandbox.folder.path).filter {
      !$0.hasSuffix(".out") && !$0.hasSuffix(".err")
    }.sorted()
  }

  @Test(arguments: [
    ["run", "--name", "../x", "demo", "1"], ["rm", "--force", "../../x"], ["status", "a/b"],
    ["run", "freebsd", "../14.2"], ["pull", "../freebsd", "1"],
  ])
  func `no file below the cache is so much as looked at`(words: [String]) async throws {
    try await Sandbox.with { sandbox in
      let trace = sandbox.folder.appending(path: "trace").path
      let run = try await sandbox.run(
        URL(filePath: "/usr/bin/strace"),
        ["-f", "-o", trace, "-e", "trace=%file,socket,connect", try Sandbox.program.path] + words)
      #expect(run.status == 64)
      let calls = try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n")
      #expect(!calls.isEmpty)
      #expect(calls.filter { $0.contains(sandbox.cache.path) && !$0.contains("execve") } == [])
      #expect(calls.filter { $0.contains("connect(") || $0.contains("socket(") } == [])
    }
  }

  @Test func `what QEMU and curl quote does nothing to the terminal`() async throws {
    try await Sandbox.with { sandbox in
      let word = "x\u{1B}[2J\u{9B}2Jy\u{202E}"
      let spelled = #"x\u{1b}[2J"#
      for flags in [["-d"], []] {
        let run = try await sandbox.qvm(
          ["run"] + flags + ["--qemu-arg=-device", "--qemu-arg=\(word)", "demo", "1"])
        #expect(run.status == 1)
        #expect(run.err.contains(spelled), "\(run.err)")
        #expect(!run.err.contains { "\u{1B}\u{9B}\u{202E}".contains($0) }, "\(run.err)")
      }
      sandbox.environment["QVM_BASE_URL"] = "http://127.0.0.1:1/\(word)"
      let pull = try await sandbox.qvm("pull", "freebsd", "14.2")
      #expect(pull.status != 0)
      #expect(!pull.err.contains { "\u{1B}\u{9B}\u{202E}".contains($0) }, "\(pull.err)")
    }
  }

  @Test func `names that differ in capitals alone are the same name`() async throws {
    try await Sandbox.with { sandbox in
      #expect(try await sandbox.qvm("run", "-d", "--name", "Foo", "demo", "1").status == 0)
      let second = try await sandbox.qvm("run", "-d", "--name", "foo", "demo", "1")
      #expect(second.status == 1)
      #expect(second.reports(InstanceError.similar(name: "foo", existing: "Foo")))
      #expect(try await sandbox.qvm("status", "foo").status == 4)
      #expect(try await sandbox.qvm("stop", "--force", "Foo").status == 0)
    }
  }
}
