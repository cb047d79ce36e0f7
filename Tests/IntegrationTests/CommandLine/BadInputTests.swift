import Foundation
import QMPClient
@testable import QVMControl
import TestSupport
import Testing

@testable import qvm

/// Words that mean nothing: one clear line, the right exit status, and nothing happens.
@Suite(.timeLimit(.minutes(15))) struct BadInputTests {
  private static let misuses: [(words: [String], says: String)] = [
    (["run", "windows", "11"], "windows"),
    (["run", "freebsd:14", "14.2"], "given twice"),
    (["run", "freebsd:14.2/sparc"], "sparc"),
    (["run", "freebsd:.."], "'..'"),
    (["run", "freebsd", "../14.2"], "../14.2"),
    (["run", "freebsd", "14.2;rm"], "14.2;rm"),
    (["run", "freebsd", "{13,14}"], "{13,14}"),
    (["run", "freebsd", "14.2", "--platform", "sparc"], "sparc"),
    (["run", "haiku", "r1beta5", "--platform", "arm64"], "x86-64"),
    (["run", "demo", "2"], "demo"),
    (["run", "--name", "../x", "demo", "1"], "../x"),
    (["run", "--name", "-x", "demo", "1"], "-x"),
    (["run", "--name", "a b", "demo", "1"], "a b"),
    (["run", "--name", "a/b", "demo", "1"], "a/b"),
    (["run", "--name", ".", "demo", "1"], "'.'"),
    (["run", "--name", String(repeating: "n", count: 64), "demo", "1"], "nnn"),
    (["run", "--name", "é", "demo", "1"], "é"),
    (["run", "--name"], "--name"),
    (["run", "--ssh-port", "99999", "demo", "1"], "99999"),
    (["run", "--ssh-port", "ssh", "demo", "1"], "ssh"),
    (["run", "--ssh-address", "nowhere", "demo", "1"], "nowhere"),
    (["run", "--memory", "0", "demo", "1"], "0"),
    (["run", "--memory", "4", "demo", "1"], "4 MiB"),
    (["run", "--memory", "63M", "freebsd", "14.2"], "64 MiB"),
    (["run", "--memory", "lots", "demo", "1"], "lots"),
    (["run", "--cpus", "0", "demo", "1"], "0"),
    (["run", "--accel", "magic", "demo", "1"], "magic"),
    (["run", "--shutdown-timeout", "-1", "demo", "1"], "-1"),
    (["run", "--colour", "demo", "1"], "--colour"),
    (["run", "demo", "1", "extra"], "extra"),
    (["run", "freebsd", "14.2", "--"], "COMMAND"),
    (["run", "freebsd", "14.2", "--", ""], "COMMAND"),
    (["ssh", "x", "--"], "COMMAND"),
    (["ssh", "x", "--", ""], "COMMAND"),
    (["ssh", "x", "--ready-timeout", "-1"], "-1"),
    (["wait", "x", "--for", "christmas"], "christmas"),
    (["rm"], "NAME"),
    (["stat"], "stat"),
    (["--nonsense"], "--nonsense"),
    (["config"], "config"),
    (["pull", "freebsd/arm64", "--platform", "x86-64"], "given twice"),
    (["pull", "freebsd:"], "not a valid version"),
    (["status", "a/b"], "a/b"),
  ]

  @Test(arguments: misuses)
  func `words that mean nothing are refused before anything is touched`(
    words: [String], says: String
  ) async throws {
    try await Sandbox.with { sandbox in
      let result = try await sandbox.qvm(words)
      #expect(result.status == 64)
      #expect(result.out == "")
      let lines = result.err.split(separator: "\n")
      #expect(lines.count { $0.hasPrefix("qvm: ") } == 1, "\(result.err)")
      #expect(result.err.contains(says), "\(result.err.prefix(200))")
      #expect(!FileManager.default.fileExists(atPath: sandbox.cache.path))
    }
  }

  @Test func `without words the help is the answer`() async throws {
    try await Sandbox.with { sandbox in
      let result = try await sandbox.qvm([])
      #expect(result.status == 0)
      #expect(result.out.contains("qvm run [OPTIONS] <OS> <VERSION>"))
      #expect(result.err.isEmpty)
    }
  }

  @Test func `an unknown command prints the whole help, then what was wrong`() async throws {
    try await Sandbox.with { sandbox in
      let result = try await sandbox.qvm("statsu")
      #expect(result.status == 64)
      let unknown = UsageError.unknownCommand("statsu", closest: "qvm status")
      let lines = result.err.split(separator: "\n")
      #expect(result.err.contains("qvm run [OPTIONS] <OS> <VERSION>"))
      #expect(lines.dropLast().last == "qvm: \(unknown.message)")
      #expect(try lines.last == "     \(#require(unknown.advice))")
    }
  }

  @Test(arguments: [["status", "none"], ["stop", "none"], ["rm", "none"], ["wait", "none"]])
  func `an instance that isn't there is named, with exit status 4`(words: [String]) async throws {
    try await Sandbox.with { sandbox in
      let result = try await sandbox.qvm(words)
      #expect(result.status == 4)
      #expect(result.err.hasPrefix("qvm: \(InstanceError.noSuch(name: "none").message)\n"))
    }
  }

  @Test func `version and path are printed alone`() async throws {
    try await Sandbox.with { sandbox in
      let version = try await sandbox.qvm("--version")
      #expect(version.out == "0.0.1\n")
      #expect(try await sandbox.qvm("config", "print-path").out == "\(sandbox.cache.path)\n")
      sandbox.environment["QVM_CACHE"] = ""
      #expect(
        try await sandbox.qvm("config", "print-path").out == "\(sandbox.folder.path)/.cache/qvm\n")
      sandbox.environment["XDG_CACHE_HOME"] = "/somewhere"
      #expect(try await sandbox.qvm("config", "print-path").out == "/somewhere/qvm\n")
    }
  }

  @Test func `a tilde is the home, and a relative path is made absolute`() async throws {
    try await Sandbox.with { sandbox in
      let home = sandbox.folder.path
      for (path, wanted) in [
        ("~/x", "\(home)/x"), ("~", home), ("~/", home), ("/a/~/b", "/a/~/b"),
      ] {
        sandbox.environment["QVM_CACHE"] = path
        #expect(try await sandbox.qvm("config", "print-path").out == "\(wanted)\n", "\(path)")
      }
      sandbox.environment["QVM_CACHE"] = "deep/x"
      let relative = try await sandbox.qvm("config", "print-path").out
      #expect(relative.hasPrefix("/"))
      #expect(relative.hasSuffix("/deep/x\n"))
      sandbox.environment["QVM_CACHE"] = ""
      sandbox.environment["XDG_CACHE_HOME"] = "~/y"
      #expect(try await sandbox.qvm("config", "print-path").out == "\(home)/y/qvm\n")
      sandbox.environment["QVM_QEMU"] = "~/none"
      let run = try await sandbox.qvm("run", "--dry-run", "demo", "1")
      #expect(run.err.contains("\(home)/none"), "\(run.err)")
    }
  }

  @Test func `without a home there is no cache, and that is said`() async throws {
    try await Sandbox.with { sandbox in
      sandbox.environment["QVM_CACHE"] = ""
      sandbox.environment["HOME"] = ""
      let result = try await sandbox.qvm("list")
      #expect(result.status == 1)
      #expect(result.err.contains("QVM_CACHE"))
      sandbox.environment["QVM_CACHE"] = "~/x"
      #expect(try await sandbox.qvm("list").err.contains("QVM_CACHE=~/x"))
    }
  }

  @Test func `a cache that can't be made is named`() async throws {
    try await Sandbox.with { sandbox in
      // A file where a folder should be stops root, too.
      let file = sandbox.folder.appending(path: "file")
      try Data().write(to: file)
      sandbox.environment["QVM_CACHE"] = file.appending(path: "cache").path
      let result = try await sandbox.qvm("run", "-d", "demo", "1")
      #expect(result.status == 1)
      #expect(result.err.contains(file.path))
    }
  }

  @Test func `output that can't be written is a failure`() async throws {
    try await Sandbox.with { sandbox in
      let shell = try await sandbox.run(
        URL(filePath: "/bin/sh"), ["-c", "'\(try Sandbox.program.path)' list >/dev/full"])
      #expect(shell.status == 1)
      #expect(shell.reports(OutputError(cause: SystemError(call: "write", code: ENOSPC))))
    }
  }
}
