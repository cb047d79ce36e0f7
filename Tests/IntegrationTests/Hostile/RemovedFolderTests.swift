import Foundation
import QMPClient
import QVMControl
import TestSupport
import Testing

/// A VM whose folder, or whole cache, is removed while it runs.
@Suite(.timeLimit(.minutes(15))) struct RemovedFolderTests {
  /// Removes a folder while files in it come and go.
  private func remove(_ folder: URL, in sandbox: Sandbox) async throws {
    let removal = try await sandbox.run(URL(filePath: "/bin/rm"), ["-rf", folder.path])
    #expect(removal.status == 0, "\(removal.err)")
  }

  @Test(arguments: [true, false])
  func `a VM whose files are removed powers off, and leaves no process`(
    isWholeCache: Bool
  ) async throws {
    try await Sandbox.with { sandbox in
      let run = try sandbox.start("run", "--name", "box", "demo", "1")
      try await eventually("it boots") { run.output.out.contains("ready") }
      let gone = isWholeCache ? sandbox.cache : sandbox.folder(of: "box")
      try await remove(gone, in: sandbox)
      let end = try await run.end(within: .seconds(20))
      #expect(end.status == 0, "\(end.err)")
      #expect(end.err.contains(sandbox.folder(of: "box").path), "\(end.err)")
      #expect(end.reports(.clean, of: "box"), "\(end.err)")
      try await eventually("no process is left") { sandbox.processes.isEmpty }
      #expect(try await sandbox.qvm("list", "--json").json["instances"]?.array?.isEmpty == true)
    }
  }

  @Test func `a detached VM whose folder is removed after it was moved ends, too`() async throws {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--rm", "--name", "box", "demo", "1")
      _ = try await sandbox.qvm("wait", "box", "--timeout", "30")
      let moved = sandbox.cache.appending(path: "instances/other")
      try FileManager.default.moveItem(at: sandbox.folder(of: "box"), to: moved)
      #expect(try await sandbox.status("other")["phase"]?.string == "running")
      try await remove(moved, in: sandbox)
      try await eventually("no process is left") { sandbox.processes.isEmpty }
    }
  }
}
