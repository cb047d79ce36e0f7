import Foundation
import QMPClient
import TestSupport
import Testing

@testable import QVMControl

@Suite(.timeLimit(.minutes(1))) struct ChildProcessTests {
  private func shell(_ script: String) -> ChildProcess.Plan { .init("/bin/sh", ["-c", script]) }

  @Test(arguments: [
    ("exit 0", ProcessEnd.exited(0)), ("exit 7", .exited(7)), ("exit 255", .exited(255)),
    ("kill -9 $$", .signalled(9)), ("kill -15 $$", .signalled(15)), ("kill -6 $$", .signalled(6)),
  ])
  func `how a child ended is known`(script: String, end: ProcessEnd) async throws {
    let child = try ChildProcess(shell(script))
    #expect(try await child.ended() == end)
    #expect(child.end == end)
    // And also a caller that asks afterwards.
    #expect(try await child.ended() == end)
  }

  @Test func `an end is spelled for people`() {
    #expect(ProcessEnd.exited(3).description == "exit status 3")
    #expect(ProcessEnd.signalled(9).description == "signal 9 (Killed)")
  }

  @Test(arguments: ["/nonexistent/program", "/etc/hostname", "/"])
  func `what can't be executed is an error that names it`(program: String) {
    let error = #expect(throws: SpawnError.self) { try ChildProcess(.init(program, [])) }
    #expect(error?.message.hasPrefix("cannot start \(program): ") == true)
  }

  @Test func `a signal ends it, and after its end reaches no process`() async throws {
    let child = try ChildProcess(.init("/bin/sleep", ["60"]))
    #expect(child.end == nil)
    child.signal(.terminate)
    #expect(try await child.ended() == .signalled(SIGTERM))
    child.signal(.kill)
    #expect(Host.startTime(of: child.pid) == nil)
  }

  @Test func `every waiter gets the end, once`() async throws {
    let child = try ChildProcess(.init("/bin/sleep", ["60"]))
    let ends = Mailbox<ProcessEnd>()
    for _ in 0..<10 { child.whenEnded { ends.send($0) } }
    child.signal(.kill)
    for _ in 0..<10 { #expect(await ends.next() == .signalled(9)) }
    #expect(ends.poll() == nil)
  }

  @Test func `a cancelled wait returns, and the child runs on`() async throws {
    let child = try ChildProcess(.init("/bin/sleep", ["60"]))
    let waiting = Task { try await child.ended() }
    waiting.cancel()
    await #expect(throws: CancellationError.self) { try await waiting.value }
    #expect(child.end == nil)
    child.signal(.kill)
    #expect(try await child.ended() == .signalled(9))
  }

  @Test func `it gets exactly the descriptors it is given, in their order`() async throws {
    // Other tests open some of theirs without close-on-exec for a moment; what leaks from here leaks
    // every time.
    var unknown = Int.max
    for _ in 0..<50 where unknown > 1 { unknown = try await unknownDescriptors() }
    // The shell reads the folder through one of its own.
    #expect(unknown <= 1)
  }

  /// Starts a child with nine descriptors; how many more than those it has.
  private func unknownDescriptors() async throws -> Int {
    let folder = try TemporaryFolder()
    // Some of our own in between, one of each kind: none of them is for the child.
    let own: [Any] = [
      try SocketCalls.pair(), try SocketCalls.listen("\(folder.path)/socket"),
      try #require(try FileLock.attempt("\(folder.path)/lock")),
      try Files.openForOutput("\(folder.path)/log", append: true),
      try FileWatch("\(folder.path)/log"), try EventLoop(),
    ]
    let inherited = try (3..<10).map {
      try Files.openForOutput("\(folder.path)/f\($0)", append: true)
    }
    let output = try Files.openForOutput("\(folder.path)/out", append: true)
    // Given in another order than they were opened, and numbers that are targets among them.
    let given = [nil, output, nil] + inherited.reversed()
    let script = "for n in 3 4 5 6 7 8 9; do echo $n >&$n; done; echo /dev/fd/*"
    let child = try ChildProcess(.init("/bin/sh", ["-c", script], descriptors: given))
    #expect(try await child.ended() == .exited(0))
    for (index, number) in (3..<10).enumerated() {
      #expect(Files.text("\(folder.path)/f\(9 - index)") == "\(number)\n")
    }
    let text = try #require(Files.text("\(folder.path)/out"))
    let open = text.split(whereSeparator: \.isWhitespace).compactMap {
      Int32($0.dropFirst("/dev/fd/".count))
    }
    // What this process itself was started with, by whomever, is not this test's concern.
    let foreign = (Int32(10)..<256).filter { fcntl($0, F_GETFD) & FD_CLOEXEC == 0 }
    #expect(Set(open).isSuperset(of: 0..<10))
    return withExtendedLifetime(own) {
      Set(open).subtracting(foreign).subtracting(0..<10).count
    }
  }

  @Test func `what isn't given is /dev/null`() async throws {
    let script = "read line; test -z \"$line\" && echo out && echo err >&2"
    let child = try ChildProcess(shell(script))
    #expect(try await child.ended() == .exited(0))
  }

  @Test func `it leads a session of its own where that is asked for`() async throws {
    for ownSession in [true, false] {
      let child = try ChildProcess(.init("/bin/sleep", ["60"], ownSession: ownSession))
      #expect(getsid(child.pid) == (ownSession ? child.pid : getsid(0)))
      child.signal(.kill)
      _ = try await child.ended()
    }
  }

  @Test func `no signal is blocked in it`() async throws {
    var mask = sigset_t()
    sigemptyset(&mask)
    sigaddset(&mask, SIGTERM)
    var before = sigset_t()
    pthread_sigmask(SIG_BLOCK, &mask, &before)
    let child = try ChildProcess(.init("/bin/sleep", ["60"]))
    pthread_sigmask(SIG_SETMASK, &before, nil)
    child.signal(.terminate)
    #expect(try await child.ended() == .signalled(SIGTERM))
  }

  @Test func `it doesn't get the signals that are blocked for it`() async throws {
    let child = try ChildProcess(
      .init("/bin/sleep", ["60"], blockedSignals: [.terminate, .hangUp]))
    child.signal(.terminate)
    child.signal(.hangUp)
    child.signal(.interrupt)
    #expect(try await child.ended() == .signalled(SIGINT))
  }

  @Test func `its environment is what it is given, or this process's own`() async throws {
    let folder = try TemporaryFolder()
    for (environment, text) in [(["A=b c"], "b c\n"), (nil, "\n")] as [([String]?, String)] {
      let output = try Files.openForOutput("\(folder.path)/out", append: false)
      let child = try ChildProcess(
        .init(
          "/bin/sh", ["-c", "echo \"$A\""], environment: environment,
          descriptors: [nil, output, nil]))
      #expect(try await child.ended() == .exited(0))
      #expect(Files.text("\(folder.path)/out") == text)
    }
  }

  @Test func `arguments arrive as they are`() async throws {
    let folder = try TemporaryFolder()
    let words = ["", "a b", "$HOME", "'\"\\", "*", "é\n"]
    let output = try Files.openForOutput("\(folder.path)/out", append: false)
    let child = try ChildProcess(
      .init(
        "/bin/sh", ["-c", "printf '%s|' \"$@\"", "sh"] + words, descriptors: [nil, output, nil]))
    #expect(try await child.ended() == .exited(0))
    #expect(Files.text("\(folder.path)/out") == words.map { $0 + "|" }.joined())
  }

  @Test func `a start time names a living process`() async throws {
    let child = try ChildProcess(.init("/bin/sleep", ["60"]))
    let start = try #require(Host.startTime(of: child.pid))
    #expect(Host.startTime(of: child.pid) == start)
    #expect(start >= (try #require(Host.startTime(of: Host.processID))))
    child.signal(.kill)
    _ = try await child.ended()
    #expect(Host.startTime(of: child.pid) == nil)
  }

  @Test func `an adopted process that became another one is not signalled`() async throws {
    let child = try ChildProcess(.init("/bin/sleep", ["60"]))
    let start = try #require(Host.startTime(of: child.pid))
    for (start, bootID) in [(start + 1, Host.bootID), (start, "another"), (nil, Host.bootID)]
      as [(UInt64?, String)]
    {
      let process = VMProcess.adopted(
        pid: child.pid, start: start, hostBootID: bootID, lockPath: "/nonexistent")
      process.signal(.kill)
      #expect(Host.startTime(of: child.pid) != nil)
    }
    VMProcess.adopted(
      pid: child.pid, start: start, hostBootID: Host.bootID, lockPath: "/nonexistent"
    ).signal(.kill)
    #expect(try await child.ended() == .signalled(9))
  }
}
