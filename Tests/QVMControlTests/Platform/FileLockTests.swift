import Foundation
import QMPClient
import TestSupport
import Testing

@testable import QVMControl

@Suite(.timeLimit(.minutes(1))) struct FileLockTests {
  private let folder: TemporaryFolder
  private var path: String { "\(folder.path)/vm.lock" }

  init() throws { folder = try TemporaryFolder() }

  /// A process that holds a lock by a descriptor that it inherited.
  private func holder(of lock: FileLock) throws -> ChildProcess {
    try ChildProcess(
      .init("/bin/sleep", ["60"], descriptors: [nil, nil, nil, lock.descriptor]))
  }

  @Test func `a lock is had once, and its file is for this user only`() throws {
    #expect(isFreeSoon(path))
    let lock = try #require(try FileLock.attempt(path))
    #expect(FileLock.isHeld(path))
    #expect(try FileLock.attempt(path) == nil)
    #expect(try FileLock.attemptExisting(path) == nil)
    #expect(Files.information(path)?.mode == 0o600)
    lock.release()
    #expect(isFreeSoon(path))
    #expect(try FileLock.attempt(path) != nil)
  }

  @Test func `a shared lock excludes an exclusive one`() throws {
    let first = try #require(try FileLock.attemptShared(path))
    let second = try #require(try FileLock.attemptShared(path))
    #expect(try FileLock.attempt(path) == nil)
    first.release()
    #expect(try FileLock.attempt(path) == nil)
    second.release()
    #expect(isFreeSoon(path))
    let alone = try #require(try FileLock.attempt(path))
    #expect(try FileLock.attemptShared(path) == nil)
    alone.release()
  }

  @Test func `a file that is not regular can't be locked, and the attempt doesn't hang`() throws {
    #expect(try !FileLock.isHeldForCertain(path), "there is none")
    #expect(mkfifo(path, 0o600) == 0)
    try Files.makeFolder("\(folder.path)/folder")
    for path in [path, "\(folder.path)/folder"] {
      #expect(!FileLock.isHeld(path))
      let error = #expect(throws: FileError.self) { try FileLock.isHeldForCertain(path) }
      #expect(error?.message == "cannot lock \(path): it is not a regular file")
      #expect(throws: FileError.self) { try FileLock.attempt(path) }
      #expect(throws: FileError.self) { try FileLock.attemptExisting(path) }
    }
  }

  @Test func `a lock without a reference is free`() throws {
    func hold() throws { #expect(try FileLock.attempt(path) != nil) }
    try hold()
    #expect(isFreeSoon(path))
  }

  @Test func `looking creates nothing and takes nothing`() throws {
    #expect(isFreeSoon(path))
    #expect(!Files.exists(path))
    let error = #expect(throws: FileError.self) { try FileLock.attemptExisting(path) }
    #expect(error?.path == path)
    #expect(error?.cause.isAbsent == true)
    #expect(throws: FileError.self) { try FileLock.waiting(path) }
    #expect(!Files.exists(path))
  }

  @Test func `a child that inherits the descriptor holds the lock until it ends, killed or not`()
    async throws
  {
    func lockAndStart() throws -> ChildProcess {
      try holder(of: try #require(try FileLock.attempt(path)))
    }
    let child = try lockAndStart()
    #expect(FileLock.isHeld(path))
    #expect(try FileLock.attempt(path) == nil)
    child.signal(.kill)
    #expect(try await child.ended() == .signalled(9))
    #expect(isFreeSoon(path))
  }

  /// Whether no process holds the lock, within a few seconds: a child that another test is just starting
  /// shares every descriptor of this process for a moment, until it becomes its program.
  private func isFreeSoon(_ path: String) -> Bool {
    let deadline = SuspendingClock.now.advanced(by: .seconds(5))
    while SuspendingClock.now < deadline {
      if !FileLock.isHeld(path) { return true }
      _ = SocketCalls.wait(-1, for: [], until: .now.advanced(by: .milliseconds(5)))
    }
    return false
  }

  @Test func `releasing it drops it for the child as well`() async throws {
    let lock = try #require(try FileLock.attempt(path))
    let child = try holder(of: lock)
    lock.release()
    #expect(try FileLock.attempt(path) != nil)
    child.signal(.kill)
    _ = try await child.ended()
  }

  @Test func `a child that doesn't get the descriptor doesn't hold the lock`() async throws {
    func lockAndStart() throws -> ChildProcess {
      let lock = try #require(try FileLock.attempt(path))
      defer { withExtendedLifetime(lock) {} }
      return try ChildProcess(.init("/bin/sleep", ["60"]))
    }
    let child = try lockAndStart()
    #expect(isFreeSoon(path))
    child.signal(.kill)
    _ = try await child.ended()
  }

  @Test func `another process's lock counts`() async throws {
    let loop = try EventLoop()
    let (ours, theirs) = try SocketCalls.pair()
    let script = """
      import fcntl, sys
      file = open(sys.argv[1], "w")
      fcntl.flock(file, fcntl.LOCK_EX)
      print("held", flush=True)
      sys.stdin.read()
      """
    let child = try ChildProcess(
      .init(try Tool.python.url.path, ["-c", script, path], descriptors: [theirs, theirs, nil]))
    let lines = try loop.run { try await ControlPeer(ours).lines(1, on: loop) }
    #expect(lines == ["held"])
    #expect(FileLock.isHeld(path))
    #expect(try FileLock.attempt(path) == nil)
    child.signal(.kill)
    _ = try await child.ended()
    #expect(try FileLock.attempt(path) != nil)
  }

  @Test func `a lock on an unlinked file excludes no one`() throws {
    let old = try #require(try FileLock.attempt(path))
    try Files.write([], to: path)
    let new = try #require(try FileLock.attempt(path))
    #expect(try FileLock.attempt(path) == nil)
    try Files.remove(path)
    #expect(isFreeSoon(path))
    withExtendedLifetime((old, new)) {}
  }

  @Test func `a link is not locked`() throws {
    try Files.write([], to: "\(folder.path)/target")
    try Files.link("\(folder.path)/target", at: path)
    #expect(throws: FileError.self) { try FileLock.attempt(path) }
    #expect(isFreeSoon(path))
  }

  @Test func `a waiter gets the lock when it is free`() async throws {
    let lock = try #require(try FileLock.attempt(path))
    let results = Mailbox<Bool>()
    let path = path
    #expect(startThread { results.send((try? FileLock.waiting(path)) != nil) })
    #expect(results.poll() == nil)
    lock.release()
    #expect(await results.next() == true)
    #expect(isFreeSoon(path))
  }

  @Test func `a waiter gets an error when the lock's file is removed`() async throws {
    let lock = try #require(try FileLock.attempt(path))
    let results = Mailbox<Bool>()
    let path = path
    #expect(startThread { results.send((try? FileLock.waiting(path)) != nil) })
    try Files.remove(path)
    lock.release()
    #expect(await results.next() == false)
  }
}
