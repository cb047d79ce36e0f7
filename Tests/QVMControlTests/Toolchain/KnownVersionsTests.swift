import QMPClient
import TestSupport
import Testing

@testable import QVMControl

@Suite(.timeLimit(.minutes(1))) struct KnownVersionsTests {
  private let folder: TemporaryFolder
  private let cache: Cache
  private let program: String

  init() throws {
    folder = try TemporaryFolder()
    cache = Cache(path: "\(folder.path)/cache")
    program = "\(folder.path)/qemu-system-x86_64"
    try cache.prepare()
  }

  /// A program that says a version, and writes down that it was asked.
  private func makeProgram(
    _ version: String, status: Int = 0, on loop: EventLoop
  ) async throws {
    let script = """
      #!/bin/sh
      echo asked >>'\(folder.path)/asked'
      echo 'QEMU emulator version \(version) (Debian 1:\(version)+ds-1)'
      exit \(status)
      """
    // By a process of its own: a test that starts another at this moment could hold it open for writing.
    _ = try await Subprocess.run(
      "/bin/sh",
      ["-c", #"rm -f "$2"; printf '%s\n' "$1" >"$2"; chmod 755 "$2""#, "sh", script, program],
      on: loop)
  }

  private func asked() -> Int {
    Files.text("\(folder.path)/asked")?.split(separator: "\n").count ?? 0
  }

  @Test func `a QEMU is asked once, and again when it is another file`() throws {
    let loop = try EventLoop()
    try loop.runLimited {
      let versions = KnownVersions(in: cache)
      #expect(versions.known(program) == nil)
      try await makeProgram("7.2.22", on: loop)
      let first = QEMUVersion(major: 7, minor: 2, micro: 22)
      for _ in 0..<3 { #expect(await versions.version(of: program, on: loop) == first) }
      #expect(asked() == 1)
      #expect(versions.known(program) == first)
      try await makeProgram("11.1.3", on: loop)
      #expect(versions.known(program) == nil)
      #expect(
        await versions.version(of: program, on: loop) == QEMUVersion(major: 11, minor: 1, micro: 3))
      #expect(asked() == 2)
    }
  }

  @Test func `what QEMU itself said later counts`() throws {
    let loop = try EventLoop()
    try loop.runLimited {
      let versions = KnownVersions(in: cache)
      try await makeProgram("10.0.2", on: loop)
      _ = await versions.version(of: program, on: loop)
      let told = QEMUVersion(major: 11, minor: 1, micro: 0)
      versions.note(told, of: program)
      #expect(await versions.version(of: program, on: loop) == told)
    }
  }

  @Test func `one that doesn't say is not known`() throws {
    let loop = try EventLoop()
    try loop.runLimited {
      let versions = KnownVersions(in: cache)
      try await makeProgram("7.2.22", status: 1, on: loop)
      #expect(await versions.version(of: program, on: loop) == nil)
      #expect(await versions.version(of: "/nowhere/qemu", on: loop) == nil)
      try await makeProgram("of today", on: loop)
      #expect(await versions.version(of: program, on: loop) == nil)
    }
  }

  @Test func `a damaged file counts as absent`() throws {
    let loop = try EventLoop()
    try loop.runLimited {
      let versions = KnownVersions(in: cache)
      try await makeProgram("7.2.22", on: loop)
      _ = await versions.version(of: program, on: loop)
      let name = try #require(Files.list("\(cache.path)/qemu").first { $0.hasPrefix(".version-") })
      try Files.write(Array("{".utf8), to: "\(cache.path)/qemu/\(name)")
      #expect(versions.known(program) == nil)
      #expect(await versions.version(of: program, on: loop) != nil)
      #expect(asked() == 2)
    }
  }
}
