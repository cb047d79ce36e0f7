import QMPClient
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct EventLoopTests {
  /// Runs an operation on a loop of its own, on a thread of its own.
  private func onOwnLoop<Value: Sendable>(
    _ operation: @escaping @Sendable (EventLoop) async throws -> Value
  ) async throws -> Value {
    let loop = try EventLoop()
    let outcome = Mailbox<Result<Value, any Error>>()
    #expect(
      startThread {
        outcome.send(Result { try loop.run { try await operation(loop) } })
      })
    return try #require(await outcome.next()).get()
  }

  private struct Failure: Error {}

  // MARK: - Running

  @Test func `run gives what the operation returns or throws`() async throws {
    #expect(try await onOwnLoop { _ in 42 } == 42)
    await #expect(throws: Failure.self) { try await onOwnLoop { _ in throw Failure() } }
  }

  @Test func `an operation and its children stay on the loop's thread`() async throws {
    let places = try await onOwnLoop { loop in
      await withTaskGroup(of: Bool.self) { group in
        for _ in 0..<10 {
          group.addTask {
            await Task.yield()
            return loop.isCurrent
          }
        }
        return await group.reduce(into: [loop.isCurrent]) { $0.append($1) }
      }
    }
    #expect(places == Array(repeating: true, count: 11))
  }

  @Test func `a loop can be run again, from another thread`() async throws {
    let loop = try EventLoop()
    for round in 0..<3 {
      let outcome = Mailbox<Int>()
      #expect(startThread { outcome.send((try? loop.run { round }) ?? -1) })
      #expect(await outcome.next() == round)
    }
    #expect(!loop.isCurrent)
  }

  @Test func `work from other threads wakes a sleeping loop, each time`() async throws {
    let count = 5000
    let sum = try await onOwnLoop { loop in
      let mailbox = Mailbox<Int>()
      #expect(
        startThread {
          for number in 1...count { loop.perform { mailbox.send(number) } }
        })
      var sum = 0
      for _ in 0..<count { sum += await mailbox.next() ?? 0 }
      return sum
    }
    #expect(sum == count * (count + 1) / 2)
  }

  @Test func `a loop and another thread wake each other in turn`() async throws {
    // A lost wake-up ends this test by its time limit.
    try await onOwnLoop { loop in
      let requests = Mailbox<Int>()
      let answers = Mailbox<Int>()
      let other = Task.init(executorPreference: nil) {
        while let number = await requests.next() {
          loop.perform { answers.send(number) }
        }
      }
      for number in 0..<2000 {
        requests.send(number)
        #expect(await answers.next() == number)
      }
      requests.finish()
      await other.value
    }
  }

  // MARK: - Timers

  @Test func `timers go off in the order of their times, those of one time in order of setting`()
    async throws
  {
    let order = try await onOwnLoop { loop in
      let mailbox = Mailbox<String>()
      let now = SuspendingClock.now
      for (name, delay) in [("c", 30), ("a", 10), ("b", 20), ("b2", 20), ("a2", 10)] {
        _ = loop.schedule(at: now.advanced(by: .milliseconds(delay))) { mailbox.send(name) }
      }
      var order: [String] = []
      while order.count < 5 { order.append(await mailbox.next() ?? "") }
      #expect(SuspendingClock.now >= now.advanced(by: .milliseconds(30)))
      return order
    }
    #expect(order == ["a", "a2", "b", "b2", "c"])
  }

  @Test func `a cancelled timer never goes off, even one that is due together with its canceller`()
    async throws
  {
    let fired = try await onOwnLoop { loop in
      let fired = Mailbox<String>()
      let due = SuspendingClock.now.advanced(by: .milliseconds(5))
      let second = Mutex<EventLoop.Token?>(nil)
      _ = loop.schedule(at: due) {
        fired.send("first")
        second.withLock { if let token = $0 { loop.cancel(token) } }
      }
      second.withLock { $0 = loop.schedule(at: due) { fired.send("second") } }
      loop.cancel(loop.schedule(at: due) { fired.send("third") })
      _ = loop.schedule(at: due.advanced(by: .milliseconds(5))) { fired.send("last") }
      return [await fired.next(), await fired.next()]
    }
    #expect(fired == ["first", "last"])
  }

  @Test func `a handler that sets timers in the past doesn't shut out the rest`() async throws {
    try await onOwnLoop { loop in
      let isDone = Mutex(false)
      @Sendable func again() {
        if isDone.withLock({ $0 }) { return }
        _ = loop.schedule(at: .now.advanced(by: .seconds(-3600))) { again() }
      }
      again()
      try await loop.sleep(until: .now.advanced(by: .milliseconds(10)))
      isDone.withLock { $0 = true }
    }
  }

  @Test func `tasks that keep each other busy don't shut out timers`() async throws {
    try await onOwnLoop { loop in
      let isDone = Mutex(false)
      _ = loop.schedule(at: .now.advanced(by: .milliseconds(10))) { isDone.withLock { $0 = true } }
      while !isDone.withLock({ $0 }) { await Task.yield() }
    }
  }

  @Test func `sleeping ends at once when cancelled, before or meanwhile`() async throws {
    try await onOwnLoop { loop in
      let sleeper = Task { try await loop.sleep(until: .now.advanced(by: .seconds(3600))) }
      await Task.yield()
      sleeper.cancel()
      await #expect(throws: CancellationError.self) { try await sleeper.value }
      let cancelled = Task {
        withUnsafeCurrentTask { $0?.cancel() }
        try await loop.sleep(until: .now.advanced(by: .seconds(3600)))
      }
      await #expect(throws: CancellationError.self) { try await cancelled.value }
    }
  }

  // MARK: - Descriptors

  @Test func `a descriptor that becomes ready ends the wait, and one that doesn't the deadline`()
    async throws
  {
    try await onOwnLoop { loop in
      let (one, other) = try SocketCalls.pair()
      #expect(
        try await !loop.ready(
          one.number, for: .read, until: .now.advanced(by: .milliseconds(5))))
      #expect(try await loop.ready(one.number, for: .write, until: .now.advanced(by: .seconds(60))))
      var byte: UInt8 = 1
      withUnsafeBytes(of: &byte) { _ = SocketCalls.send(other.number, $0) }
      #expect(try await loop.ready(one.number, for: .read, until: .now.advanced(by: .seconds(60))))
    }
  }

  @Test func `waiting for a descriptor ends at once when cancelled`() async throws {
    try await onOwnLoop { loop in
      let (one, _other) = try SocketCalls.pair()
      let waiter = Task {
        try await loop.ready(one.number, for: .read, until: .now.advanced(by: .seconds(3600)))
      }
      await Task.yield()
      waiter.cancel()
      await #expect(throws: CancellationError.self) { try await waiter.value }
      withExtendedLifetime(_other) {}
    }
  }

  @Test func `a watch that one handler cancels is not called in the same round`() async throws {
    let calls = try await onOwnLoop { loop in
      let (one, other) = try SocketCalls.pair()
      let calls = Mailbox<Int>()
      let tokens = Mutex<[EventLoop.Token]>([])
      for index in 0..<2 {
        let token = loop.watch(one.number, for: .read) {
          calls.send(index)
          tokens.withLock { tokens in tokens.forEach(loop.cancel) }
        }
        tokens.withLock { $0.append(token) }
      }
      var byte: UInt8 = 1
      withUnsafeBytes(of: &byte) { _ = SocketCalls.send(other.number, $0) }
      let first = await calls.next()
      try await loop.sleep(until: .now.advanced(by: .milliseconds(5)))
      return [first, calls.poll()]
    }
    #expect(calls == [0, nil])
  }

  @Test func `a watch set and cancelled from another thread takes effect on a sleeping loop`()
    async throws
  {
    let loop = try #require(EventLoop.shared)
    for _ in 0..<200 {
      let (one, other) = try SocketCalls.pair()
      let called = Mailbox<Void>()
      let token = loop.watch(one.number, for: .read, once: true) { called.send(()) }
      var byte: UInt8 = 1
      withUnsafeBytes(of: &byte) { _ = SocketCalls.send(other.number, $0) }
      #expect(await called.next() != nil)
      loop.cancel(token)
    }
  }

  @Test func `a descriptor that was closed under its watch is reported once, and no more`()
    async throws
  {
    let calls = try await onOwnLoop { loop in
      let calls = Mailbox<Void>()
      let number: Int32 = 1 << 20  // Above any limit: never open.
      _ = loop.watch(number, for: .read) { calls.send(()) }
      let first: Void? = await calls.next()
      try await loop.sleep(until: .now.advanced(by: .milliseconds(5)))
      return [first != nil, calls.poll() != nil]
    }
    #expect(calls == [true, false])
  }
}
