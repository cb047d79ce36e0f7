import Foundation
import QMPClient
@testable import QVMControl
import TestSupport
import Testing

/// What lies where a VM's sockets and pid file go.
@Suite(.timeLimit(.minutes(15))) struct StaleSocketTests {
  enum Thing: String, CaseIterable { case file, folder, link }

  @Test func `what is no socket is neither removed nor replaced`() async throws {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--name", "vm", "demo", "1")
      let monitor = try #require(try await sandbox.status("vm")["paths"]?["monitor"]?.string)
      _ = try await sandbox.qvm("stop", "--force", "vm")
      let runtime = URL(filePath: monitor).deletingLastPathComponent()
      let target = sandbox.folder.appending(path: "target")
      try Data("mine".utf8).write(to: target)
      for name in ["monitor.sock", "console.sock", "control.sock"] {
        for thing in Thing.allCases {
          try FileManager.default.createDirectory(at: runtime, withIntermediateDirectories: true)
          let place = runtime.appending(path: name)
          switch thing {
          case .file: try Data("mine".utf8).write(to: place)
          case .folder:
            try FileManager.default.createDirectory(at: place, withIntermediateDirectories: false)
          case .link:
            try FileManager.default.createSymbolicLink(at: place, withDestinationURL: target)
          }
          let start = try await sandbox.qvm("start", "-d", "vm")
          #expect(start.status == 1, "\(name): \(thing)")
          #expect(start.err.contains(place.path), "\(start.err)")
          #expect(start.advises(FileError(verb: "", path: "", cause: .isOccupant)), "\(start.err)")
          let left = try FileManager.default.attributesOfItem(atPath: place.path)[.type]
          let types: [Thing: FileAttributeType] = [
            .file: .typeRegular, .folder: .typeDirectory, .link: .typeSymbolicLink,
          ]
          #expect(left as? FileAttributeType == types[thing], "\(name): \(thing) was replaced")
          #expect(try await sandbox.status("vm")["phase"]?.string == "crashed")
          try FileManager.default.removeItem(at: place)
        }
      }
      #expect(try Data(contentsOf: target) == Data("mine".utf8))
      #expect(try await sandbox.qvm("start", "-d", "vm").status == 0)
    }
  }

  @Test func `sockets and a pid file that were left behind don't keep a VM from booting`()
    async throws
  {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--name", "vm", "demo", "1")
      let (supervisor, qemu) = sandbox.pids(of: "vm")
      // Both leave their sockets, and QEMU its pid file.
      kill(try #require(supervisor), SIGKILL)
      kill(try #require(qemu), SIGKILL)
      try await eventually("it boots again") {
        try await sandbox.qvm("start", "-d", "vm").status == 0
      }
      #expect(try await sandbox.status("vm")["phase"]?.string == "running")
      #expect(try await sandbox.qvm("wait", "vm", "--timeout", "30").status == 0)
      #expect(try await sandbox.qvm("stop", "vm").status == 0)
    }
  }

  @Test func `the short link to an instance's sockets goes with it`()
    async throws
  {
    try await Sandbox.with { sandbox in
      sandbox.lengthenCache()
      _ = try await sandbox.qvm("run", "-d", "--name", "vm", "demo", "1")
      let folder = sandbox.runtime.appending(path: "qvm").path
      let links = { try FileManager.default.contentsOfDirectory(atPath: folder) }
      #expect(try links().count == 1)
      let status = try await sandbox.status("vm")
      kill(Int32(try #require(status["supervisorPid"]?.int)), SIGKILL)
      kill(Int32(try #require(status["pid"]?.int)), SIGKILL)
      try await eventually("it is removed") { try await sandbox.qvm("rm", "vm").status == 0 }
      #expect(try links() == [])
    }
  }

  @Test func `a record that names another folder for the sockets doesn't get it removed`()
    async throws
  {
    try await Sandbox.with { sandbox in
      try await sandbox.makeSeed()
      let precious = sandbox.folder.appending(path: "precious")
      try FileManager.default.createDirectory(at: precious, withIntermediateDirectories: false)
      try Data("mine".utf8).write(to: precious.appending(path: "file"))
      for words in [["status"], ["start", "-d"], ["rm"]] {
        try sandbox.copy("seed", as: "vm")
        try sandbox.change(
          "runtimeFolder", to: .string(precious.path), in: "boot.json", of: "vm")
        try FileManager.default.removeItem(
          at: sandbox.folder(of: "vm").appending(path: "outcome.json"))
        _ = try await sandbox.qvm(words + ["vm"])
        _ = try await sandbox.qvm("rm", "--force", "vm")
      }
      #expect(try Data(contentsOf: precious.appending(path: "file")) == Data("mine".utf8))
    }
  }
}
