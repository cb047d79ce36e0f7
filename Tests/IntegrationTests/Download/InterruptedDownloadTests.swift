import Foundation
import QMPClient
import TestSupport
import Testing

/// Ctrl-C, Ctrl-Z and the other ways to be impatient while a base image is on its way.
@Suite(.timeLimit(.minutes(15))) struct InterruptedDownloadTests {
  private static let asset = "haiku-r1beta5-x86-64.qcow2"

  /// The partial of the image, in bytes; nil while there is none.
  private func partial(in sandbox: Sandbox) -> Int? {
    let folder = sandbox.cache.appending(path: "downloads")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    guard let name = names.first(where: { $0.hasSuffix(".partial") }) else { return nil }
    let path = folder.appending(path: name).path
    return (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int
  }

  /// The programs at work on this sandbox's behalf, which get no mark in their environment.
  private func tools(_ server: ReleaseServer, in sandbox: Sandbox) -> [Int32] {
    let pids = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return pids.compactMap { Int32($0) }.filter { pid in
      let line = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()
      let words = line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
      return ["curl", "tar", "qemu-img"].contains { words.first?.hasSuffix($0) ?? false }
        && words.contains { $0.contains(server.baseURL) || $0.contains(sandbox.folder.path) }
    }
  }

  private func images(in sandbox: Sandbox) -> [String] {
    let folder = sandbox.cache.appending(path: "images").path
    return (try? FileManager.default.subpathsOfDirectory(atPath: folder))?
      .filter { $0.hasSuffix(".qcow2") } ?? []
  }

  private func serve(_ rate: Int, in sandbox: inout Sandbox) async throws -> ReleaseServer {
    let server = try await PublishedReleases.serve(in: sandbox)
    try server.setFault(.slow(rate), for: Self.asset)
    sandbox.environment["QVM_BASE_URL"] = server.baseURL
    return server
  }

  @Test func `an interrupted pull ends its programs and is gone on with`() async throws {
    try await Sandbox.with { sandbox in
      let server = try await serve(60_000, in: &sandbox)
      for round in 0..<10 {
        let command = round % 2 == 0 ? ["pull"] : ["run", "--name", "never"]
        let terminal = try TerminalSession(
          try Sandbox.program, command + ["haiku", "r1beta5"], in: sandbox)
        let before = terminal.original
        // Before it handles signals it has begun nothing: then Ctrl-C just ends it.
        try await eventually("it has begun") {
          !tools(server, in: sandbox).isEmpty
        }
        // At a different moment of it in each round.
        try await Task.sleep(for: .milliseconds(round * 37))
        terminal.type(round % 5 == 4 ? "\u{1C}" : "\u{3}")
        #expect(try await terminal.end(within: .seconds(10)) == 130, "\(terminal.text)")
        #expect(terminal.settings == before)
        #expect(sandbox.processes.isEmpty, "\(sandbox.processes)")
        #expect(tools(server, in: sandbox) == [])
        #expect(images(in: sandbox) == [])
        #expect(try await sandbox.qvm("list", "--json").json["instances"]?.array == [])
      }
      let kept = try #require(partial(in: sandbox))
      #expect(kept > 0)
      try server.setFault(nil, for: Self.asset)
      try server.forgetRequests()
      let pull = try await sandbox.qvm("pull", "haiku", "r1beta5")
      #expect(pull.status == 0, "\(pull.err)")
      #expect(server.transfers(of: Self.asset).first?.range == "bytes=\(kept)-")
    }
  }

  @Test(arguments: [SIGTERM, SIGHUP])
  func `a signal to the command alone does the same`(signal: Int32) async throws {
    try await Sandbox.with { sandbox in
      let server = try await serve(60_000, in: &sandbox)
      let pull = try sandbox.start("pull", "haiku", "r1beta5")
      try await eventually("some of it is there") { (partial(in: sandbox) ?? 0) > 0 }
      pull.signal(signal)
      #expect(try await pull.end(within: .seconds(10)).status == 130)
      #expect(sandbox.processes.isEmpty, "\(sandbox.processes)")
      #expect(tools(server, in: sandbox) == [])
      #expect((partial(in: sandbox) ?? 0) > 0)
    }
  }

  @Test func `a pull that is stopped goes on with fg`() async throws {
    try await Sandbox.with { sandbox in
      let server = try await serve(60_000, in: &sandbox)
      let shell = try TerminalSession(
        URL(filePath: "/bin/bash"), ["--norc", "--noediting", "-i"], in: sandbox)
      try await shell.expect("$ ")
      let before = shell.settings
      for (name, command) in [("pull", "pull"), ("run", "run --name new --memory 64M")] {
        shell.type("\(try Sandbox.program.path) \(command) haiku r1beta5\n")
        try await eventually("some of it is there") { (partial(in: sandbox) ?? 0) > 0 }
        shell.type("\u{1A}")
        try await shell.expect("Stopped")
        try await shell.expect("$ ")
        #expect(shell.settings == before)
        try await eventually("curl is stopped as well") {
          let states = tools(server, in: sandbox).map { pid in
            (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ""
          }
          return !states.isEmpty && states.allSatisfy { $0.contains(") T ") }
        }
        if name == "run" { break }
        shell.type("fg\n")
        try await shell.expect("/images/", within: .seconds(20))
        try await shell.expect("$ ")
        try FileManager.default.removeItem(at: sandbox.cache.appending(path: "images"))
      }
      // What is stopped can be ended as well.
      shell.type("kill %1\n")
      try await shell.expect("interrupted")
      shell.type("exit\n")
      _ = try await shell.end()
    }
  }
  @Test func `curl doesn't go on when its qvm is killed, and the next one completes the image`()
    async throws
  {
    try await Sandbox.with { sandbox in
      let server = try await ReleasedImage.serve("v0.1.0", in: &sandbox)
      let asset = "\(ReleasedImage.name).qcow2"
      // It would take minutes.
      try server.setFault(.slow(2000), for: asset)
      let pull = try sandbox.start(try Sandbox.program, ["pull"] + ReleasedImage.words)
      func hasCurl() -> Bool {
        sandbox.processes.contains { $0.command.contains("curl") }
      }
      try await eventually("it is being downloaded") {
        hasCurl() && !server.transfers(of: asset).isEmpty
      }
      pull.signal(SIGKILL)
      _ = try await pull.end()
      try await eventually("curl has ended") { !hasCurl() }
      try server.setFault(nil, for: asset)
      let again = try await sandbox.qvm(["pull"] + ReleasedImage.words)
      #expect(again.status == 0, "\(again.err)")
    }
  }
}
