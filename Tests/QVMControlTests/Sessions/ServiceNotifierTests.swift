import Synchronization
import Testing

@testable import QVMControl

@Suite struct ServiceNotifierTests {
  private final class Heard: Sendable {
    let messages = Mutex<[String]>([])
    var all: [String] { messages.withLock { $0 } }
  }

  private let heard = Heard()
  private let notifier: ServiceNotifier

  init() {
    let heard = self.heard
    notifier = ServiceNotifier { message in heard.messages.withLock { $0.append(message) } }
  }

  @Test func `a service is ready once, and is powering off from the first word of it`() {
    notifier.booting()
    notifier.ready()
    notifier.ready()
    notifier.stopping()
    notifier.stopping()
    #expect(
      heard.all == [
        "STATUS=booting\nEXTEND_TIMEOUT_USEC=900000000", "READY=1\nSTATUS=running",
        "STOPPING=1\nSTATUS=powering off\nEXTEND_TIMEOUT_USEC=75000000",
        "STATUS=powering off\nEXTEND_TIMEOUT_USEC=75000000",
      ])
  }

  @Test func `a download's name says nothing else to the manager`() {
    notifier.take("a\nREADY=1", .began(done: 0, total: nil))
    #expect(heard.all.count == 1)
    #expect(heard.all[0].hasPrefix(#"STATUS=downloading a\nREADY=1 ("#), "\(heard.all)")
  }

  @Test func `what is shutting down does not become ready`() {
    notifier.stopping()
    notifier.ready()
    #expect(!heard.all.contains { $0.contains("READY") })
  }

  @Test func `a download that advances gets more time, one that stalls does not`() {
    notifier.take("image", .began(done: 0, total: 1000))
    for _ in 0..<5 { notifier.take("image", .advanced(to: 0)) }
    #expect(
      heard.all == ["STATUS=downloading image (0%)\nEXTEND_TIMEOUT_USEC=120000000"])
    notifier.take("qemu", .began(done: 2048, total: nil))
    notifier.take("image", .ended(complete: true))
    notifier.take("qemu", .ended(complete: true))
    #expect(
      heard.all.dropFirst().map { $0.prefix { $0 != "\n" } } == [
        "STATUS=downloading image (0%), qemu (2.0 kB)", "STATUS=downloading qemu (2.0 kB)",
        "STATUS=checking what was downloaded",
      ])
  }
}
