import Foundation
import QMPClient
import Synchronization
import QVMControl
import TestSupport
import Testing

/// Who answers at the sockets of a VM, and whether that is believed.
@Suite(.timeLimit(.minutes(15))) struct SocketPeerTests {
  /// Listens in the place of a supervisor, and answers each client's first line; until it is gone.
  private final class Impostor: Sendable {
    private let isOver = Mutex(false)

    init(_ path: String, answering text: String) throws {
      let listener = try SocketCalls.listen(path)
      let started = startThread { [self] in
        var clients: [Descriptor] = []
        while !isOver.withLock({ $0 }) {
          guard let client = SocketCalls.accept(on: listener) else {
            _ = SocketCalls.wait(
              listener.number, for: .read, until: .now.advanced(by: .milliseconds(100)))
            continue
          }
          guard
            SocketCalls.wait(client.number, for: .read, until: .now.advanced(by: .seconds(10))),
            case .bytes = SocketCalls.receive(client.number)
          else { continue }
          var text = text
          _ = text.withUTF8 { SocketCalls.send(client.number, UnsafeRawBufferPointer($0)) }
          clients.append(client)
        }
      }
      #expect(started)
    }

    func stop() { isOver.withLock { $0 = true } }
  }

  private func ended(_ boot: String) -> String {
    let outcome = """
      {"schema":1,"boot":"\(boot)","result":"clean","reason":"guest-shutdown",\
      "endedAt":"2026-01-01T00:00:00Z"}
      """
    return "{\"event\":\"ended\",\"outcome\":\(outcome),\"removed\":false,\"boot\":\"\(boot)\"}\n"
  }

  @Test func `an answer that a VM has ended is not believed while it is locked`() async throws {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--name", "box", "demo", "1")
      let control = sandbox.folder(of: "box").appending(path: "control.sock")
      let aside = sandbox.folder.appending(path: "aside.sock")
      try FileManager.default.moveItem(at: control, to: aside)
      let boot = try #require(sandbox.file("boot.json", of: "box")["boot"]?.string)
      let impostor = try Impostor(control.path, answering: ended(boot))
      let stop = try await sandbox.qvm("stop", "box")
      #expect(stop.status == 1)
      #expect(!stop.reports(.clean, of: "box"), "\(stop.err)")
      #expect(stop.reports(StopError.notEnded(name: "box")), "\(stop.err)")
      impostor.stop()
      try FileManager.default.removeItem(at: control)
      try FileManager.default.moveItem(at: aside, to: control)
      #expect(try await sandbox.status("box")["phase"]?.string == "running")
      #expect(try await sandbox.qvm("stop", "box").status == 0)
    }
  }

  @Test func `an answer for another boot is ignored`() async throws {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--name", "box", "demo", "1")
      let control = sandbox.folder(of: "box").appending(path: "control.sock")
      let aside = sandbox.folder.appending(path: "aside.sock")
      try FileManager.default.moveItem(at: control, to: aside)
      let impostor = try Impostor(
        control.path,
        answering: "{\"status\":{\"phase\":\"paused\",\"reason\":\"x\"},\"boot\":\"other\"}\n")
      let status = try await sandbox.status("box")
      #expect(status["phase"]?.string == "unresponsive")
      #expect(status["reason"]?.string == "another instance answers for it")
      let stop = try await sandbox.qvm("stop", "box")
      #expect(stop.status == 1)
      #expect(stop.reports(StopError.another(name: "box")), "\(stop.err)")
      impostor.stop()
      try FileManager.default.removeItem(at: control)
      try FileManager.default.moveItem(at: aside, to: control)
    }
  }

  @Test func `one VM's sockets under the name of another end no VM`() async throws {
    try await Sandbox.with { sandbox in
      for name in ["one", "two"] {
        _ = try await sandbox.qvm("run", "-d", "--name", name, "demo", "1")
      }
      // As when both shared a folder for sockets, and had the same name.
      let (supervisor, qemu) = sandbox.pids(of: "two")
      try sandbox.change(
        "runtimeFolder", to: .string(sandbox.folder(of: "one").path), in: "boot.json", of: "two")
      let stop = try await sandbox.qvm("stop", "two")
      #expect(stop.status == 1)
      #expect(stop.reports(StopError.another(name: "two")), "\(stop.err)")
      #expect(try await sandbox.status("one")["phase"]?.string == "running")
      for pid in [supervisor, qemu] { #expect(kill(try #require(pid), 0) == 0) }
      // A start removes no sockets that a process listens on.
      try sandbox.change("runtimeFolder", to: .null, in: "boot.json", of: "two")
      #expect(try await sandbox.qvm("stop", "two").status == 0)
      #expect(try await sandbox.status("one")["phase"]?.string == "running")
    }
  }

  @Test func `two whose caches have the same path are told apart, though they share a folder`()
    async throws
  {
    try await Sandbox.with { sandbox in
      // Each in a mount namespace of its own, as two containers with a volume for sockets.
      let program = try Sandbox.program.path
      let cache = sandbox.cache.path + "/" + String(repeating: "long", count: 30)
      func inContainer(_ own: String, _ words: String) async throws -> Sandbox.Output {
        try await sandbox.run(
          URL(filePath: "/usr/bin/unshare"),
          [
            "--mount", "sh", "-c",
            """
            mkdir -p '\(sandbox.folder.path)/\(own)' '\(cache)'
            mount --bind '\(sandbox.folder.path)/\(own)' '\(cache)'
            export QVM_CACHE='\(cache)'; exec '\(program)' \(words)
            """,
          ])
      }
      guard geteuid() == 0 else { return }
      for own in ["a", "b"] {
        let run = try await inContainer(own, "run -d --name box demo 1")
        #expect(run.status == 0, "\(run.err)")
      }
      #expect(try await inContainer("a", "stop box").status == 0)
      #expect(try await inContainer("a", "status --json box").json["phase"]?.string == "stopped")
      #expect(try await inContainer("b", "status --json box").json["phase"]?.string == "running")
      #expect(try await inContainer("b", "stop box").status == 0)
    }
  }

  @Test func `a VM's end takes its sockets along though their link is gone`() async throws {
    try await Sandbox.with { sandbox in
      sandbox.lengthenCache()
      _ = try await sandbox.qvm("run", "-d", "--name", "box", "demo", "1")
      try FileManager.default.removeItem(at: sandbox.runtime.appending(path: "qvm"))
      kill(
        try #require(sandbox.processes.first { $0.command.contains("qemu-system") }?.pid), SIGKILL)
      #expect(
        try await sandbox.qvm("wait", "box", "--for", "stopped", "--timeout", "30").status == 0)
      // That none is left is seen to at the end of each test.
    }
  }

  @Test func `commands find a VM though the runtime folder is gone`() async throws {
    try await Sandbox.with { sandbox in
      sandbox.lengthenCache()
      _ = try await sandbox.qvm("run", "-d", "--name", "box", "demo", "1")
      func vanish() throws {
        try FileManager.default.removeItem(at: sandbox.runtime.appending(path: "qvm"))
      }
      try vanish()
      #expect(try await sandbox.status("box")["phase"]?.string == "running")
      try vanish()
      #expect(try await sandbox.qvm("wait", "box", "--timeout", "30").status == 0)
      try vanish()
      let stop = try await sandbox.qvm("stop", "box")
      #expect(stop.status == 0, "\(stop.err)")
      #expect(stop.reports(.clean, of: "box"), "\(stop.err)")
    }
  }

  @Test func `in a folder that another user has made no socket is used`() async throws {
    guard geteuid() == 0 else { return }
    try await Sandbox.with { sandbox in
      sandbox.lengthenCache()
      _ = try await sandbox.qvm("run", "-d", "--name", "box", "demo", "1")
      let folder = sandbox.runtime.appending(path: "qvm")
      let status = try await sandbox.status("box")
      let link = URL(filePath: try #require(status["paths"]?["monitor"]?.string))
        .deletingLastPathComponent()
      try FileManager.default.removeItem(at: folder)
      try FileManager.default.createDirectory(at: link, withIntermediateDirectories: true)
      let boot = String(repeating: "0", count: 16)
      let impostor = try Impostor("\(link.path)/control.sock", answering: ended(boot))
      for path in [folder.path, link.path, "\(link.path)/control.sock"] {
        #expect(chown(path, 7, 7) == 0)
      }
      let later = try await sandbox.status("box")
      #expect(later["phase"]?.string != "stopped")
      // The supervisor is told by a signal, and what became of the VM is on file.
      let stop = try await sandbox.qvm("stop", "box")
      #expect(stop.status == 0, "\(stop.err)")
      #expect(stop.err.contains("Sent a signal that tells it to"), "\(stop.err)")
      let outcome = try await sandbox.status("box")["lastOutcome"]
      #expect(outcome?["rung"]?.string == "powerdown")
      #expect(outcome?["presses"] != nil)
      impostor.stop()
      try FileManager.default.removeItem(at: folder)
      #expect(try await sandbox.qvm("rm", "box").status == 0)
    }
  }

  @Test func `an orphan whose monitor is gone is killed, and that is said`()
    async throws
  {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--name", "box", "demo", "1")
      kill(try #require(sandbox.pids(of: "box").supervisor), SIGKILL)
      try FileManager.default.removeItem(
        at: sandbox.folder(of: "box").appending(path: "monitor.sock"))
      let stop = try await sandbox.qvm("stop", "box")
      #expect(stop.status == 1)
      #expect(!stop.reports(.clean, of: "box"), "\(stop.err)")
      let status = try await sandbox.status("box")
      #expect(status["phase"]?.string == "stopped")
      #expect(status["lastOutcome"]?["rung"]?.string == "sigkill", "\(stop.err)")
      #expect(status["lastOutcome"]?["result"]?.string == "forced")
      #expect(stop.err.contains("sent SIGKILL"), "\(stop.err)")
    }
  }

  @Test func `running is what QEMU answers, not what was last heard of it`() async throws {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--name", "box", "demo", "1")
      let qemu = try #require(sandbox.pids(of: "box").qemu)
      kill(qemu, SIGSTOP)
      #expect(
        try await sandbox.qvm("wait", "box", "--for", "running", "--timeout", "2").status == 124)
      let wait = try sandbox.start("wait", "box", "--for", "running", "--timeout", "30")
      kill(qemu, SIGCONT)
      #expect(try await wait.end().status == 0)
    }
  }
}
