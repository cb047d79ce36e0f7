import QMPClient
import Testing

@testable import QVMControl

@Suite struct ReadinessWatchTests {
  private let sign = ReadySign.greeting(address: "127.0.0.1", port: 1)

  private func take(
    _ isReady: Bool?, of number: Int, into watch: inout ReadinessWatch, isNews: Bool
  ) {
    let news = watch.take(isReady, of: number)
    #expect(news == isNews)
  }

  private func confirm(_ watch: inout ReadinessWatch, isNews: Bool) {
    let news = watch.confirm()
    #expect(news == isNews)
  }

  @Test func `the answer of a watch that a reset has replaced says nothing`() throws {
    // Nothing runs the loop: only what the test says comes in.
    var watch = ReadinessWatch(inputs: Mailbox(), on: try EventLoop())
    #expect(watch.isReady == nil)
    watch.begin(sign)
    #expect(watch.isReady == false)
    take(true, of: 1, into: &watch, isNews: true)
    #expect(watch.isReady == true)
    // It became ready before.
    take(true, of: 1, into: &watch, isNews: false)
    watch.begin(sign)
    take(true, of: 1, into: &watch, isNews: false)
    #expect(watch.isReady == false)
    take(nil, of: 2, into: &watch, isNews: false)
    #expect(watch.isReady == nil)
    watch.stop()
  }

  @Test func `a client may be quicker, if there is a sign at all`() throws {
    var watch = ReadinessWatch(inputs: Mailbox(), on: try EventLoop())
    watch.begin(sign)
    confirm(&watch, isNews: true)
    #expect(watch.isReady == true)
    confirm(&watch, isNews: false)
    watch.begin(nil)
    confirm(&watch, isNews: false)
    #expect(watch.isReady == nil)
  }

  @Test func `after a command it is in doubt for a while, unless the guest begins anew`() throws {
    var watch = ReadinessWatch(inputs: Mailbox(), on: try EventLoop())
    watch.begin(sign)
    #expect(watch.doubt == .zero)
    watch.commandEnded()
    #expect(watch.doubt > .zero && watch.doubt <= ReadinessWatch.settling)
    watch.begin(sign)
    #expect(watch.doubt == .zero)
    watch.stop()
  }
}
