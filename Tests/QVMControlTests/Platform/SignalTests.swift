import Foundation
import QMPClient
import Testing

@testable import QVMControl

@Suite struct SignalTests {
  @Test(arguments: [
    (Signal.interrupt, SIGINT, "SIGINT"), (.terminate, SIGTERM, "SIGTERM"),
    (.hangUp, SIGHUP, "SIGHUP"), (.quit, SIGQUIT, "SIGQUIT"), (.kill, SIGKILL, "SIGKILL"),
  ])
  func `a signal is the system's, by its name`(signal: Signal, number: Int32, name: String) {
    #expect(signal.rawValue == number)
    #expect(signal.description == name)
  }

  @Test func `a write to a closed pipe is an error, and doesn't end the process`() throws {
    Signal.prepareProcess()
    var ends: [Int32] = [-1, -1]
    try #require(pipe(&ends) == 0)
    close(ends[0])
    #expect(Files.writeSome([1], to: ends[1]) == -1)
    #expect(SystemError.last("write").code == EPIPE)
    close(ends[1])
  }

  @Test func `no signal goes to pid -1, 0 or 1`() {
    for pid: Int32 in [-1, 0, 1, Int32.min] { #expect(!Host.signal(.terminate, to: pid)) }
  }
}
