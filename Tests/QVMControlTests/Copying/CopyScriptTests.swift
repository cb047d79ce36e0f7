import Foundation
import QMPClient
import TestSupport
import Testing

@testable import QVMControl

/// The scripts that run in guests, by this host's sh and GNU tar.
@Suite struct CopyScriptTests {
  private let folder: TemporaryFolder
  private var home: String { "\(folder.path)/home" }

  init() throws {
    folder = try TemporaryFolder()
    try Files.makeFolder(home)
  }

  /// Runs a script in the home; what it printed, its reports, and its status.
  private func run(
    _ script: String, input: String? = nil, path: String = "/usr/bin:/bin"
  ) throws -> (out: Data, err: String, status: Int32) {
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = ["-c", script]
    process.currentDirectoryURL = URL(filePath: home)
    process.environment = ["HOME": home, "PATH": path]
    process.standardInput =
      input.map { FileHandle(forReadingAtPath: $0) } ?? FileHandle(forReadingAtPath: "/dev/null")
    let (out, err) = ("\(folder.path)/out", "\(folder.path)/err")
    for file in [out, err] { try Data().write(to: URL(filePath: file)) }
    process.standardOutput = FileHandle(forWritingAtPath: out)
    process.standardError = FileHandle(forWritingAtPath: err)
    try process.run()
    process.waitUntilExit()
    return (
      try Data(contentsOf: URL(filePath: out)), Files.text(err) ?? "", process.terminationStatus
    )
  }

  private func shell(_ line: String) throws -> String {
    let result = try run(line)
    return String(decoding: result.out, as: UTF8.self) + result.err
  }

  /// An archive of a folder `src` with a file, as the writer makes it.
  private func archive(
    _ token: String, mark count: Int? = nil, marked: Bool = true
  ) throws -> String {
    let file = "\(folder.path)/in.tar"
    let output = try Files.openForOutput(file, append: false)
    var writer = TarWriter(to: output, stop: try StopSign())
    try writer.add(
      "\(folder.path)/src", as: Array(UnpackScript.member(0, token: token).utf8))
    let members = writer.summary.files + writer.summary.folders
    let name = Array(UnpackScript.mark(count ?? members, token: token).utf8)
    let modes = UnpackScript.modes(writer.summary.closed)
    _ = try writer.finish(mark: marked ? (name, modes) : nil)
    return file
  }

  private func unpack(
    to target: String, mark count: Int? = nil, marked: Bool = true, path: String = "/usr/bin:/bin"
  ) throws -> CopyError.GuestProblem? {
    let script = UnpackScript(
      token: "t", target: .copy(GuestPath(target)), items: [.init(name: "src", isFolder: true)])
    let result = try run(
      script.text, input: try archive("t", mark: count, marked: marked), path: path)
    let lines = result.err.split(separator: "\n").map(String.init)
    let reports = lines.filter { $0.hasPrefix("t ") }.map { String($0.dropFirst(2)) }
    let problem = script.problem(reports, lines.filter { !$0.hasPrefix("t ") })
    #expect((problem == nil) == (result.status == 0), "\(result.err)")
    #expect(try shell("find . -name '.qvm*'").isEmpty)
    return problem
  }

  @Test func `an archive is unpacked beside its place, counted and renamed`() throws {
    _ = try shell("mkdir -p ../src/ro; echo 1 >../src/f; echo r >../src/ro/r; chmod 555 ../src/ro")
    #expect(try unpack(to: "new") == nil)
    #expect(try shell("cat new/f new/ro/r; stat -c %a new/ro") == "1\nr\n555\n")
    _ = try shell("echo 2 >../src/f; mkdir -p src; echo old >src/other; echo old >src/f")
    #expect(try unpack(to: ".") == nil)
    #expect(try shell("cat src/f src/other") == "2\nold\n")
    // Once more, where all of it is there and a folder takes nothing.
    #expect(try unpack(to: "~") == nil)
    #expect(try shell("stat -c %a src/ro") == "555\n")
  }

  @Test func `what is not whole is not put in its place`() throws {
    _ = try shell("mkdir -p ../src; echo 1 >../src/f")
    #expect(try unpack(to: "new", mark: 3) == .incomplete(got: 2, of: 3))
    // Many tars take the end of the input for the end of the archive.
    #expect(try unpack(to: "new", marked: false) == .failed("the archive ended too early"))
    #expect(try shell("ls -A").isEmpty)
    _ = try shell("echo x >file; mkdir -p d; mkdir -p d/src/f")
    #expect(try unpack(to: "file") == .occupied("file"))
    #expect(try unpack(to: "no/x") == .noFolder("no"))
    #expect(try unpack(to: "d") != nil)
    #expect(try shell("ls -A d/src/f; cat file") == "x\n")
    let bin = "\(folder.path)/bin"
    try Files.makeFolder(bin)
    #expect(try unpack(to: "new", path: bin) == .noTar)
  }

  @Test func `what changed since the copy is sent, and what is gone is named`() throws {
    let source = "\(folder.path)/src"
    try Files.makeFolder(source)
    let volume = try Volume("\(source):v:rw")
    let copy = Randomness.hexadecimal(bytes: 8)
    _ = try shell(
      """
      mkdir -p v/moved v/.git; cd v; for n in a b c d 'e f'; do echo $n >"$n"; done; echo in >moved/in
      touch -d 2001-01-01 * moved/*
      fail() { exit 9; }
      \(ChangesScript.beginning(copy))
      \(ChangesScript.ending(volume, copy))
      """)
    _ = try shell(
      "cd v; echo 2 >a; rm b; chmod 600 c; touch -d 2000-01-01 old; cp -p old 'e f'; mv moved m2; mkdir -p e1/e2"
    )
    let script = ChangesScript(copy: copy, token: "t", volume: volume)
    let result = try run(script.text)
    #expect(result.status == 0, "\(result.err)")
    let file = "\(folder.path)/changes.tar"
    try result.out.write(to: URL(filePath: file))
    let names = try shell("tar -tif '\(file)' | sort").split(separator: "\n").map(String.init)
    #expect(
      names == [
        "./.qvm-t-dirs", "./.qvm-t-git", "./.qvm-t-gone", "./a", "./c", "./e f", "./m2/in", "./old",
      ], "\(names)")
    let lists = try shell("tar -xif '\(file)' && cat .qvm-t-gone && cat .qvm-t-dirs")
    #expect(lists == "./b\n./moved\n./moved/in\n./e1\n./e1/e2\n./m2\n")
    #expect(try shell("ls -d /tmp/.qvm-\(copy).d 2>&1").contains("No such file"))
  }
}
