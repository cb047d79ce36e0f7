import Foundation
import QMPClient
import Testing

@testable import QVMControl

@Suite(.timeLimit(.minutes(1))) struct SubprocessTests {
  private func run(
    _ script: String, environment: [String]? = nil, input: [UInt8]? = nil
  ) throws -> Subprocess.Output {
    let loop = try EventLoop()
    return try loop.run {
      try await Subprocess.run(
        "/bin/sh", ["-c", script], environment: environment, input: input, on: loop)
    }
  }

  @Test func `output, errors and exit status are collected apart`() throws {
    let output = try run("echo out; echo err >&2; exit 3")
    #expect(output.standardOutput == Array("out\n".utf8))
    #expect(output.standardError == Array("err\n".utf8))
    #expect(output.end == .exited(3))
    #expect(!output.succeeded)
    #expect(try run("true").succeeded)
  }

  @Test func `much output on both at once holds up nothing`() throws {
    let output = try run(
      "i=0; while [ $i -lt 2000 ]; do echo 0123456789012345678901234567890123456789"
        + "01234567890123456789012345678901234567890123456789012345678; echo err$i >&2;"
        + " i=$((i+1)); done")
    #expect(output.standardOutput.count == 200_000)
    #expect(output.standardError.count(where: { $0 == 0x0A }) == 2000)
    #expect(output.problem == "err1999")
  }

  @Test(arguments: [
    ("echo first >&2; echo last >&2; echo >&2; exit 1", "last"), ("exit 4", "exit status 4"),
    ("kill -9 $$", "signal 9 (Killed)"), ("printf '  \\n\\t\\n' >&2; exit 2", "exit status 2"),
  ])
  func `the problem is the last line that says anything`(script: String, problem: String) throws {
    #expect(try run(script).problem == problem)
  }

  @Test func `a program that takes too long is ended, and the problem says so`() throws {
    let loop = try EventLoop()
    let start = ContinuousClock.now
    let output = try loop.run {
      try await Subprocess.run(
        "/bin/sh", ["-c", "echo said; echo why >&2; exec sleep 60"], within: .seconds(1), on: loop)
    }
    #expect(start.duration(to: .now) < .seconds(20))
    #expect(!output.succeeded)
    #expect(output.problem == "it did not end within 1 s")
    #expect(output.standardOutput == Array("said\n".utf8))
  }

  @Test func `nothing is lost where this process is held up when the program ends`() throws {
    let loop = try EventLoop()
    let output = try loop.run {
      // Its end comes during the first pause, and the second one follows before its output is read.
      _ = loop.schedule(at: .now.advanced(by: .milliseconds(100))) {
        usleep(600_000)
        loop.perform { usleep(1_300_000) }
      }
      return try await Subprocess.run("/bin/sh", ["-c", "sleep 0.3; echo said"], on: loop)
    }
    #expect(output.succeeded)
    #expect(output.standardOutput == Array("said\n".utf8))
  }

  @Test func `input and environment are what they are given`() throws {
    let output = try run(
      "cat; echo \"$X\"; echo \"$HOME\"", environment: ["X=y"], input: Array("in\n".utf8))
    #expect(String(decoding: output.standardOutput, as: UTF8.self) == "in\ny\n\n")
    #expect(try run("cat").standardOutput == [])
  }

  @Test(arguments: ["sleep 6 &", "{ while sleep 0.05; do echo more; done; } & sleep 0.2"])
  func `a grandchild that keeps the output open delays nothing`(straggler: String) throws {
    let start = ContinuousClock.now
    let output = try run("echo said\n\(straggler)\necho $! >&2")
    #expect(start.duration(to: .now) < .seconds(5))
    #expect(output.end == .exited(0))
    #expect(String(decoding: output.standardOutput, as: UTF8.self).hasPrefix("said\n"))
    let pid = String(decoding: output.standardError, as: UTF8.self).split(separator: "\n").first
    _ = Host.signal(.kill, to: Int32(pid ?? "") ?? 0)
  }

  @Test func `a program that isn't there is an error`() throws {
    let loop = try EventLoop()
    #expect(throws: SpawnError.self) {
      try loop.run { try await Subprocess.run("/nonexistent", [], on: loop) }
    }
  }

  @Test(arguments: ["INT", "QUIT"])
  func `a program that the user ended from the terminal was cancelled`(signal: String) {
    #expect(throws: CancellationError.self) { try run("ulimit -c 0; kill -\(signal) $$") }
  }

  @Test(arguments: [("TERM", SIGTERM), ("HUP", SIGHUP)])
  func `a program that ends a moment before its caller is told to was cancelled`(
    name: String, signal: Int32
  ) throws {
    #expect(try run("kill -\(name) $$").end == .signalled(signal))
    let loop = try EventLoop()
    try loop.runLimited {
      let (ours, theirs) = try SocketCalls.pair()
      let peer = ControlPeer(ours)
      let running = Self.hold(theirs, "echo $$ >&3; kill -\(name) $$", on: loop)
      let pid = try #require(try await peer.lines(1, on: loop).first.flatMap { Int32($0) })
      while Host.startTime(of: pid) != nil {
        try await loop.sleep(until: .now.advanced(by: .milliseconds(2)))
      }
      running.cancel()
      await #expect(throws: CancellationError.self) { try await running.value }
    }
  }

  @Test func `cancelling ends the program before it returns`() throws {
    let loop = try EventLoop()
    try loop.runLimited {
      let (ours, theirs) = try SocketCalls.pair()
      let peer = ControlPeer(ours)
      let running = Self.hold(theirs, "echo started >&3; exec sleep 60", on: loop)
      #expect(try await peer.lines(1, on: loop) == ["started"])
      running.cancel()
      await #expect(throws: CancellationError.self) { try await running.value }
    }
  }

  @Test func `a task that is cancelled already starts nothing that stays`() throws {
    let loop = try EventLoop()
    try loop.runLimited {
      let running = Task(executorPreference: loop) {
        withUnsafeCurrentTask { $0?.cancel() }
        return try await Subprocess.run("/bin/sleep", ["60"], on: loop).end
      }
      await #expect(throws: CancellationError.self) { try await running.value }
    }
  }

  @Test func `what it inherits it holds for as long as it lives, and no longer`() throws {
    let loop = try EventLoop()
    try loop.runLimited {
      let (ours, theirs) = try SocketCalls.pair()
      let peer = ControlPeer(ours)
      let running = Self.hold(theirs, "echo started >&3; read line <&3", on: loop)
      #expect(try await peer.lines(1, on: loop) == ["started"])
      peer.send("go\n")
      #expect(try await running.value == .exited(0))
    }
  }

  /// A program that has one end of a connection as its descriptor 3.
  private static func hold(
    _ descriptor: Descriptor, _ script: String, on loop: EventLoop
  ) -> Task<ProcessEnd, any Error> {
    Task(executorPreference: loop) {
      try await Subprocess.run("/bin/sh", ["-c", script], inheriting: [descriptor], on: loop).end
    }
  }
}
