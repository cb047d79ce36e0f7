import Foundation
import TestSupport
import Testing

/// A VM doesn't need the folder that it was started in.
@Suite(.timeLimit(.minutes(15))) struct WorkingFolderTests {
  private func qvm(
    _ words: String, in folder: URL, _ sandbox: Sandbox
  ) async throws -> Sandbox.Output {
    try await sandbox.run(
      URL(filePath: "/bin/sh"),
      ["-c", "cd '\(folder.path)' && exec '\(try Sandbox.program.path)' \(words)"])
  }

  @Test func `supervisor and QEMU keep no folder busy, and find what is relative to it`()
    async throws
  {
    try await Sandbox.with { sandbox in
      let here = sandbox.folder.appending(path: "here, there")
      let elsewhere = sandbox.folder.appending(path: "elsewhere")
      for folder in [here, elsewhere] {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
      }
      try Data(count: 1 << 20).write(to: here.appending(path: "data.img"))
      let run = try await qvm(
        "run -d --name box --record-qmp talk.qmp --qemu-arg -drive"
          + " --qemu-arg if=none,id=x,format=raw,file=data.img --qemu-arg -chardev"
          + " --qemu-arg file,id=y,path=out.log demo 1",
        in: here, sandbox)
      #expect(run.status == 0, "\(run.err)")
      let pids = sandbox.pids(of: "box")
      for pid in [pids.supervisor, pids.qemu] {
        let link = "/proc/\(try #require(pid))/cwd"
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "/")
      }
      for name in ["talk.qmp", "out.log"] {
        #expect(FileManager.default.fileExists(atPath: here.appending(path: name).path))
      }
      #expect(try await sandbox.qvm("stop", "--force", "box").status == 0)
      try FileManager.default.removeItem(at: here.appending(path: "out.log"))
      let start = try await qvm("start -d box", in: elsewhere, sandbox)
      #expect(start.status == 0, "\(start.err)")
      #expect(FileManager.default.fileExists(atPath: here.appending(path: "out.log").path))
      #expect(try await sandbox.qvm("stop", "--force", "box").status == 0)
    }
  }
}
