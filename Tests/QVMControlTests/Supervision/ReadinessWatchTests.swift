import QMPClient
import Testing

@testable import QVMControl

@Suite struct ReadinessWatchTests {
  private let sign = ReadySign.greeting(address: "127.0.0.1", port: 1)

  @Test func `the answer of a watch that a reset has replaced says nothing`() throws {
    // Nothing runs the loop: only what the test says comes in.
    var watch = ReadinessWatch(inputs: Mailbox(), on: try EventLoop())
    #expect(watch.isReady == nil)
    watch.begin(sign)
    #expect(watch.isReady == false)
    watch.take(true, of: 1)
    #expect(watch.isReady == true)
    watch.begin(sign)
    watch.take(true, of: 1)
    #expect(watch.isReady == false)
    watch.take(nil, of: 2)
    #expect(watch.isReady == nil)
    watch.stop()
  }

  @Test func `a client may be quicker, if there is a sign at all`() throws {
    var watch = ReadinessWatch(inputs: Mailbox(), on: try EventLoop())
    watch.begin(sign)
    watch.confirm()
    #expect(watch.isReady == true)
    watch.begin(nil)
    watch.confirm()
    #expect(watch.isReady == nil)
  }
}
