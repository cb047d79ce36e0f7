import QMPClient
import TestSupport
import Testing

@testable import QVMControl

/// A QEMU that was taken over, and what has its pid when it is gone.
@Suite struct VMProcessTests {
  private func process(
    _ child: ChildProcess, start: UInt64?, hostBootID: String = Host.bootID,
    lockPath: String = "/nonexistent"
  ) -> VMProcess {
    .adopted(pid: child.pid, start: start, hostBootID: hostBootID, lockPath: lockPath)
  }

  @Test func `only the very process is signalled`() async throws {
    let child = try ChildProcess(.init("/bin/sleep", ["60"]))
    let start = try #require(Host.startTime(of: child.pid))
    process(child, start: start + 1).signal(.kill)
    process(child, start: nil).signal(.kill)
    process(child, start: start, hostBootID: "another").signal(.kill)
    #expect(child.end == nil)
    #expect(Host.startTime(of: child.pid) == start)
    process(child, start: start).signal(.kill)
    #expect(try await child.ended() == .signalled(9))
  }

  @Test(arguments: [Int32.max, 1, 0, -1, .min])
  func `an impossible pid signals no process`(pid: Int32) {
    // Zero and below would be whole groups of processes.
    VMProcess.adopted(pid: pid, start: 0, hostBootID: Host.bootID, lockPath: "/x").signal(.kill)
    #expect(!Host.signal(.init(rawValue: 0), to: pid))
  }

  @Test func `its end comes with the lock that it held`() async throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/vm.lock"
    let held = try #require(try FileLock.attempt(path))
    let child = try ChildProcess(.init("/bin/sleep", ["60"]))
    let ends = Mailbox<VMProcess.End>()
    #expect(process(child, start: nil, lockPath: path).whenEnded { ends.send($0) })
    held.release()
    let end = await ends.next()
    guard case .unobserved(let lock?) = end else {
      Issue.record("\(String(describing: end))")
      return
    }
    #expect(FileLock.isHeld(path))
    lock.release()
    child.signal(.kill)
    _ = try await child.ended()
  }
}
