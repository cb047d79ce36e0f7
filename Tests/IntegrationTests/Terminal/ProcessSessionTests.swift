import Foundation
import QMPClient
import TestSupport
import Testing

/// Where QEMU and its supervisor stand: out of reach of the terminal, and the terminal of theirs.
@Suite(.timeLimit(.minutes(15))) struct ProcessSessionTests {
  /// The process group, the session and the terminal of a process.
  private func place(_ pid: Int32) throws -> (group: Int32, session: Int32, terminal: Int32) {
    let text = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
    let end = try #require(text.lastIndex(of: ")"))
    let fields = text[end...].split(separator: " ").compactMap { Int32($0) }
    return (fields[1], fields[2], fields[3])
  }

  private func files(_ pid: Int32) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").compactMap {
      try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/fd/\($0)")
    }
  }

  @Test(arguments: [["run"], ["run", "-d"]])
  func `QEMU and its supervisor lead sessions of their own, without the terminal`(
    words: [String]
  ) async throws {
    try await Sandbox.with { sandbox in
      let terminal = try TerminalSession(
        try Sandbox.program, words + ["--name", "apart", "demo", "1"], in: sandbox)
      _ = try await eventually("it runs") {
        try await sandbox.status("apart")["phase"]?.string == "running"
      }
      let status = try await sandbox.status("apart")
      for key in ["pid", "supervisorPid"] {
        let pid = try #require(status[key]?.int.map(Int32.init))
        let place = try place(pid)
        #expect(place.group == pid, "\(key)")
        #expect(place.session == pid, "\(key)")
        #expect(place.terminal == 0, "\(key)")
        let files = try files(pid)
        #expect(
          !files.contains { $0.hasPrefix("/dev/pts") || $0.hasPrefix("/dev/tty") }, "\(files)")
      }
      if words == ["run"] { terminal.type("\u{3}") }
      #expect(try await terminal.end() == 0)
    }
  }

  @Test func `what is written while the command is stopped and continued is shown once`()
    async throws
  {
    try await Sandbox.with { sandbox in
      let folder = sandbox.folder.path
      // Lines for the guest to echo, one after the other; what is shown goes to a file, as it is.
      let feed = "i=0; while :; do i=$((i + 1)); echo line $i; sleep 0.001; done"
      let shell = try TerminalSession(
        URL(filePath: "/bin/bash"), ["--norc", "--noediting", "-i"], in: sandbox)
      try await shell.expect("$ ")
      shell.type("mkfifo \(folder)/feed; (\(feed)) >\(folder)/feed & \n")
      try await shell.expect("$ ")
      shell.type(
        "\(try Sandbox.program.path) run --name echo demo 1 <\(folder)/feed >\(folder)/shown\n")
      let file = sandbox.folder.appending(path: "shown")
      func size() -> Int {
        (try? FileManager.default.attributesOfItem(atPath: file.path)[.size] as? Int) ?? 0
      }
      for _ in 1...6 {
        let before = size()
        try await eventually("more is shown") { size() > before + 500 }
        shell.type("\u{1A}")
        try await shell.expect("Stopped")
        try await shell.expect("$ ")
        shell.type("fg\n")
        try await shell.expect("run --name echo")
      }
      shell.type("\u{3}")
      try await shell.expect("echo powered off")
      shell.type("kill %1; exit\n")
      _ = try await shell.end()
      let log = try Data(contentsOf: sandbox.cache.appending(path: "instances/echo/console.log"))
      let shown = try Data(contentsOf: sandbox.folder.appending(path: "shown"))
      let (inLog, inShown) = (lines(log), lines(shown))
      let last = inShown.keys.max() ?? 0
      #expect(last > 100)
      for number in 1...max(1, last) {
        let count = inShown[number] ?? 0
        // QEMU sometimes writes a byte to its log twice, which makes another line of it there.
        if inLog[number] == 1 { #expect(count == 1, "line \(number) is shown \(count) times") }
      }
    }
  }

  /// How often the line of each number is there.
  private func lines(_ data: Data) -> [Int: Int] {
    data.split(separator: 10).reduce(into: [:]) { counts, line in
      let text = String(decoding: line, as: UTF8.self)
      if text.hasPrefix("line "), let number = Int(text.dropFirst(5).prefix { $0.isNumber }) {
        counts[number, default: 0] += 1
      }
    }
  }
}
