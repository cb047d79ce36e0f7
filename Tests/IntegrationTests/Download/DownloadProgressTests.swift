import Foundation
import TestSupport
import Testing

/// What a person sees of a download.
@Suite struct DownloadProgressTests {
  private static let pull = ["pull", "haiku", "r1beta5"]
  private static let asset = "haiku-r1beta5-x86-64.qcow2"

  /// A server with one image that comes slowly.
  private func serving(_ sandbox: inout Sandbox, rate: Int) async throws -> ReleaseServer {
    let server = try ReleaseServer.start(root: sandbox.folder.appending(path: "releases"))
    let image = sandbox.folder.appending(path: "image.qcow2")
    _ = try await sandbox.run(
      try Tool.qemuImg.url,
      ["convert", "-f", "raw", "-O", "qcow2", try Guest.demo.image.path, image.path])
    try server.publish(
      try Data(contentsOf: image), as: Self.asset, tag: "v0.1.0", in: "haiku-builder")
    try server.setLatest("v0.1.0", in: "haiku-builder")
    try server.setFault(.slow(rate), for: Self.asset)
    sandbox.environment["QVM_BASE_URL"] = server.baseURL
    return server
  }

  @Test func `off a terminal a download is a line at its start and one at its end`() async throws {
    try await Sandbox.with { sandbox in
      let server = try await serving(&sandbox, rate: 400_000)
      let result = try await sandbox.qvm(Self.pull)
      #expect(result.status == 0)
      let lines = result.err.split(separator: "\n")
      #expect(lines.count == 2, "\(result.err)")
      #expect(lines.first?.hasPrefix("downloading \(Self.asset) (") == true)
      #expect(lines.last?.hasPrefix("\(Self.asset) downloaded, ") == true)
      withExtendedLifetime(server) {}
    }
  }

  @Test func `quiet says nothing but what goes wrong`() async throws {
    try await Sandbox.with { sandbox in
      let server = try await serving(&sandbox, rate: 10_000_000)
      let pull = try await sandbox.qvm(Self.pull + ["--quiet"])
      #expect(pull.status == 0)
      #expect(pull.err.isEmpty)
      #expect(pull.out.hasSuffix("\(Self.asset)\n"))
      let run = try await sandbox.qvm(
        "run", "-q", "-d", "--name", "guest", "--memory", "64M", "haiku", "r1beta5")
      #expect(run.status == 0)
      #expect(run.err.isEmpty)
      #expect(run.out == "guest\n")
      #expect(try await sandbox.qvm("stop", "--force", "guest").status == 0)
      let start = try await sandbox.qvm("start", "-q", "-d", "guest")
      #expect(start.status == 0)
      #expect(start.err.isEmpty)
      #expect(try await sandbox.qvm("stop", "--force", "guest").status == 0)
      let wrong = try await sandbox.qvm("pull", "-q", "haiku", "r1beta9")
      #expect(wrong.status == 1)
      #expect(wrong.err.contains("r1beta9"))
      withExtendedLifetime(server) {}
    }
  }

  @Test func `on a terminal a line goes on, and Ctrl-C ends it with the terminal as it was`()
    async throws
  {
    try await Sandbox.with { sandbox in
      let server = try await serving(&sandbox, rate: 40_000)
      let terminal = try TerminalSession(try Sandbox.program, Self.pull, in: sandbox)
      let settings = terminal.original
      try await terminal.expect("kB/s")
      try await terminal.expect(" left")
      terminal.type("\u{3}")
      try await terminal.expect("\(Self.asset) stopped after ")
      #expect(try await terminal.end() == 130)
      #expect(terminal.settings == settings)
      #expect(!terminal.text.contains("\u{1B}[?25l"), "the cursor is never hidden")
      withExtendedLifetime(server) {}
    }
  }
}
