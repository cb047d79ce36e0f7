import Foundation
import QMPClient
import QVMControl
import TestSupport
import Testing

/// Caches and runtime folders with names that a shell, QEMU or the kernel could stumble over.
@Suite(.timeLimit(.minutes(15))) struct OddPathTests {
  /// Below the sandbox's folder, where the commands run too, unless they begin with a slash.
  private static let caches = [
    "a b", "a,b", "a,format=raw", "a:b=c", "tcp:1", "q'u\"o", "$HOME%s`x`", "back\\n\\",
    "new\nline",
    "ünï-雪", "-rf", "*?[a]{b}!#&;|<>()", "~", "~home", "link", "slashes///", "x//./y/../z",
    String(repeating: "n", count: 200),
    Array(repeating: String(repeating: "d", count: 80), count: 3).joined(separator: "/"),
  ]

  @Test(arguments: [caches[..<10], caches[10...]])
  func `a VM lives its whole life in a cache of any name`(caches: ArraySlice<String>) async throws {
    try await Sandbox.with { sandbox in
      let real = sandbox.folder.appending(path: "real")
      try FileManager.default.createDirectory(at: real, withIntermediateDirectories: false)
      try FileManager.default.createSymbolicLink(
        at: sandbox.folder.appending(path: "link"), withDestinationURL: real)
      for (index, cache) in caches.enumerated() {
        // Every other one as a relative path.
        let isRelative = index % 2 == 1
        sandbox.environment["QVM_CACHE"] =
          isRelative ? cache : "\(sandbox.folder.path)/\(cache)"
        try await live(in: sandbox, isRelative ? "\(sandbox.folder.path)/\(cache)" : nil, cache)
      }
    }
  }

  private func live(in sandbox: Sandbox, _ path: String?, _ cache: String) async throws {
    let comment = Comment(rawValue: cache.prefix(40).debugDescription)
    func qvm(_ words: String..., wants status: Int32 = 0) async throws -> Sandbox.Output {
      // What is relative is so to the folder that a command runs in.
      let result = try await sandbox.run(
        URL(filePath: "/bin/sh"),
        ["-c", "cd \"$HOME\" && exec \"$@\"", "sh", try Sandbox.program.path] + words)
      #expect(result.status == status, "\(cache.debugDescription) \(words): \(result.err)")
      return result
    }
    _ = try await qvm("run", "-d", "--name", "box", "demo", "1")
    _ = try await qvm("wait", "box", "--timeout", "30")
    let status = try await qvm("status", "--json", "box").json
    #expect(status["phase"]?.string == "running", comment)
    let disk = try #require(status["paths"]?["disk"]?.string)
    #expect(FileManager.default.fileExists(atPath: disk), comment)
    if let path { #expect(disk.hasPrefix(path.trimmingSuffix("/")), comment) }
    #expect(try await qvm("list").out.contains("box"), comment)
    #expect(try await qvm("logs", "box").out.contains("ready:"), comment)
    _ = try await qvm("stop", "box")
    _ = try await qvm("start", "-d", "box")
    let printed = try await qvm("run", "--dry-run", "--name", "box", "demo", "1").out
    try await compare(printed, with: disk, in: sandbox, comment)
    _ = try await qvm("stop", "--force", "box")
    _ = try await qvm("rm", "box")
    #expect(!FileManager.default.fileExists(atPath: disk), comment)
  }

  /// The command of a dry run, pasted into a shell, is word for word what QEMU was started with.
  private func compare(
    _ printed: String, with disk: String, in sandbox: Sandbox, _ comment: Comment
  ) async throws {
    let shell = try await sandbox.run(
      URL(filePath: "/bin/sh"),
      ["-c", "set -- \(printed.dropLast())\nfor word; do printf '%s\\001' \"$word\"; done"])
    let file = disk.replacing("disk.qcow2", with: "boot.json")
    let record = try JSONValue(parsing: Array(Data(contentsOf: URL(filePath: file))))
    // The port is free or not at the time.
    let isSame = { (word: String) in !word.contains("hostfwd") }
    let words = shell.out.split(separator: "\u{1}").map(String.init).filter(isSame)
    // A boot's sockets have addresses of its own.
    let alias = "/.\(record["boot"]?.string?.prefix(8) ?? "")/"
    let command = record["command"]?.array?.compactMap(\.string).filter(isSame).map {
      $0.replacing(alias, with: "/").replacing(
        "/qemu-\(alias.dropFirst(2).dropLast()).pid", with: "/qemu.pid")
    }
    #expect(words == command, comment)
  }

  // MARK: - The runtime folder

  @Test func `a link to sockets lies in the user's own runtime folder, whatever its name`()
    async throws
  {
    try await Sandbox.with { sandbox in
      sandbox.lengthenCache()
      for name in ["a,b:c=d", "q'u\"o $x%s", "é\n"] {
        let folder = sandbox.folder.appending(path: name)
        try FileManager.default.createDirectory(
          at: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        sandbox.environment["XDG_RUNTIME_DIR"] = folder.path
        let run = try await sandbox.qvm("run", "-d", "--name", "box", "demo", "1")
        #expect(run.status == 0, "\(run.err)")
        let status = try await sandbox.status("box")
        #expect(status["paths"]?["monitor"]?.string?.hasPrefix("\(folder.path)/qvm/") == true)
        #expect(status["phase"]?.string == "running")
        #expect(try await sandbox.qvm("wait", "box", "--timeout", "30").status == 0)
        #expect(try await sandbox.qvm("stop", "box").status == 0)
        #expect(try await sandbox.qvm("rm", "box").status == 0)
      }
    }
  }

  private static let strangers = [
    "long", "missing", "file", "link", "shared", "relative", "foreign",
  ]

  @Test func `a runtime folder that is not the user's alone is not used`() async throws {
    try await Sandbox.with { sandbox in
      let folder = sandbox.folder
      let manager = FileManager.default
      sandbox.lengthenCache()
      for name in ["long", "shared", "relative", "foreign"] {
        try manager.createDirectory(
          at: folder.appending(path: name), withIntermediateDirectories: false,
          attributes: [.posixPermissions: name == "shared" ? 0o777 : 0o700])
      }
      let long = folder.appending(path: "long/" + String(repeating: "l", count: 100))
      try manager.createDirectory(
        at: long, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
      try manager.createSymbolicLink(
        at: folder.appending(path: "link"), withDestinationURL: sandbox.runtime)
      try Data().write(to: folder.appending(path: "file"))
      let foreign = geteuid() == 0 ? folder.appending(path: "foreign").path : "/usr"
      if geteuid() == 0 { #expect(chown(foreign, 65_534, 65_534) == 0) }
      for name in Self.strangers {
        sandbox.environment["XDG_RUNTIME_DIR"] =
          switch name {
          case "long": long.path
          case "relative": name
          case "foreign": foreign
          default: folder.appending(path: name).path
          }
        let run = try await sandbox.qvm("run", "--dry-run", "--name", "box", "demo", "1")
        #expect(run.status == 0)
        #expect(run.out.contains("path=/tmp/qvm-\(geteuid())/"), "\(name): \(run.out)")
      }
    }
  }

  // MARK: - The environment

  @Test func `a cache that can't be told is said to be so`() async throws {
    try await Sandbox.with { sandbox in
      let program = try Sandbox.program.path
      let home = sandbox.folder.appending(path: "gone").path
      let cases: [(environment: String, error: CacheError)] = [
        ("", .noHome),
        ("HOME=", .noHome), ("HOME=here", .noHome),
        ("XDG_CACHE_HOME=relative", .noHome),
        ("HOME='\(home)'", .noHomeFolder(home)),
        ("QVM_CACHE=\"$(printf '/tmp/\\377')\"", .notUTF8(variable: "QVM_CACHE")),
      ]
      for (environment, error) in cases {
        let run = try await sandbox.run(
          URL(filePath: "/bin/sh"),
          [
            "-c",
            "exec env -i PATH=\"$PATH\" QVM_QEMU=system \(environment) '\(program)' run demo 1",
          ])
        #expect(run.status == 1)
        #expect(run.err.hasPrefix("qvm: ") && run.reports(error), "\(environment): \(run.err)")
        #expect(run.err.split(separator: "\n").count == 2)
      }
      #expect(!FileManager.default.fileExists(atPath: home), "the home was made")
    }
  }
}

extension String {
  fileprivate func trimmingSuffix(_ suffix: Character) -> Substring {
    var text = self[...]
    while text.last == suffix { text.removeLast() }
    return text
  }
}
