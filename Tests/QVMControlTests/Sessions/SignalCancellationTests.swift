import QMPClient
import Testing

@testable import QVMControl

@Suite(.timeLimit(.minutes(1))) struct SignalCancellationTests {
  @Test(arguments: [Signal.interrupt, .terminate, .hangUp, .quit])
  func `the first signal cancels what is being done`(signal: Signal) throws {
    let loop = try EventLoop()
    let signals = Mailbox<Signal>()
    signals.send(signal)
    #expect(throws: CancellationError.self) {
      try loop.run {
        try await SignalCancellation.cancelling(on: signals, loop) {
          try await loop.sleep(until: .now.advanced(by: .seconds(60)))
        }
      }
    }
    #expect(signals.poll() == nil)
  }

  @Test func `without a signal the result is handed on, and later signals are left alone`() throws {
    let loop = try EventLoop()
    let signals = Mailbox<Signal>()
    let value = try loop.run { try await SignalCancellation.cancelling(on: signals, loop) { 7 } }
    #expect(value == 7)
    signals.send(.interrupt)
    #expect(signals.poll() == .interrupt)
  }

  @Test func `a signal that comes too late to cancel anything is put back`() throws {
    let loop = try EventLoop()
    let signals = Mailbox<Signal>()
    let value = try loop.run {
      try await SignalCancellation.cancelling(on: signals, loop) {
        signals.send(.interrupt)
        // Something that can't be cancelled, such as the start of a supervisor.
        let mailbox = Mailbox<Int>()
        await withCheckedContinuation { continuation in
          _ = loop.schedule(at: .now.advanced(by: .milliseconds(5))) { continuation.resume() }
        }
        mailbox.send(7)
        return await mailbox.next()
      }
    }
    #expect(value == 7)
    #expect(signals.poll() == .interrupt)
  }

  @Test func `what fails because the terminal told its program too was interrupted`() throws {
    struct Complaint: Error {}
    let loop = try EventLoop()
    let signals = Mailbox<Signal>()
    signals.send(.interrupt)
    #expect(throws: CancellationError.self) {
      try loop.run {
        try await SignalCancellation.cancelling(on: signals, loop) {
          do { try await loop.sleep(until: .now.advanced(by: .seconds(60))) } catch {
            throw Complaint()
          }
        }
      }
    }
  }

  @Test func `a signal that is no request to end cancels nothing`() throws {
    let loop = try EventLoop()
    let signals = Mailbox<Signal>()
    signals.send(.continued)
    let value = try loop.run {
      try await SignalCancellation.cancelling(on: signals, loop) {
        try await loop.sleep(until: .now.advanced(by: .milliseconds(20)))
        return 7
      }
    }
    #expect(value == 7)
  }

  @Test func `what the operation throws is thrown`() throws {
    struct Failure: Error {}
    let loop = try EventLoop()
    #expect(throws: Failure.self) {
      try loop.run {
        try await SignalCancellation.cancelling(on: Mailbox<Signal>(), loop) { throw Failure() }
      }
    }
  }
}
