#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif
internal import Synchronization

/// A poll(2) loop on one thread that is also the executor of the tasks and actors bound to it.
///
/// One thread reads a socket, resumes the task that waits for the data and runs that task. There is
/// no thread switch, so a QMP round trip is as quick as a blocking one. An idle loop sleeps in the
/// kernel. Only a descriptor, a timer or work from another thread wakes it.
///
/// ``run(_:)`` runs the loop on the calling thread; ``shared`` has a thread of its own. Tasks and
/// actors that are bound to a loop make no progress while it doesn't run.
public final class EventLoop: SerialExecutor, TaskExecutor, Sendable {
  package typealias Handler = @Sendable () -> Void

  let state = Mutex(EventLoopState())
  /// The thread that runs the loop; nil if it doesn't run.
  let thread = Mutex<pthread_t?>(nil)
  let wakeUp: (read: Descriptor, write: Descriptor)

  /// Creates a loop that does nothing until ``run(_:)``.
  ///
  /// - Throws: ``SystemError`` if the process has no descriptors left.
  public init() throws(SystemError) {
    wakeUp = try SocketCalls.pair()
  }

  // MARK: - Executor

  /// Adds a job to the loop. Callable from any thread.
  public func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    change { $0.add(.job(job)) }
  }

  /// Adds a job of a task that prefers the loop and is isolated to none of its actors. Callable
  /// from any thread.
  ///
  /// Distinct from the actors' jobs: if such a task ran as isolated to an actor, it would have to
  /// be enqueued again after each `await`, even one that has not waited.
  @_implements(TaskExecutor,enqueue(_:))
  public func enqueueTask(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    change { $0.add(.task(job)) }
  }

  /// Whether the caller is on the loop's thread.
  public var isCurrent: Bool {
    thread.withLock { thread in
      guard let thread else { return false }
      return pthread_equal(thread, pthread_self()) != 0
    }
  }

  /// Traps if the caller is not on the loop's thread, as actor isolation requires.
  public func checkIsolated() {
    precondition(isCurrent, "not on the event loop's thread")
  }

  // MARK: - Work, descriptors, timers

  /// Changes the state. If the loop sleeps, wakes it once.
  private func change<Value: Sendable>(_ body: (inout sending EventLoopState) -> Value) -> Value {
    let (value, isPolling) = state.withLock { state in
      let value = body(&state)
      defer { state.isPolling = false }
      return (value, state.isPolling)
    }
    if isPolling {
      var byte: UInt8 = 0
      withUnsafeBytes(of: &byte) { _ = SocketCalls.send(wakeUp.write.number, $0) }
    }
    return value
  }

  /// Runs a closure on the loop soon. Callable from any thread.
  package func perform(_ body: @escaping Handler) { change { $0.add(.closure(body)) } }

  /// Identifies a watch or a timer, for ``cancel(_:)``.
  package struct Token: Sendable, Hashable {
    fileprivate let value: UInt64
  }

  /// Calls a handler on the loop each time that a descriptor is ready, until ``cancel(_:)``.
  ///
  /// Level-triggered: the handler must read or write, or cancel. End of file and errors count as
  /// ready. Cancel the watch before closing the descriptor. If a descriptor is not open, its
  /// handler is called a last time and the watch ends. With `once`, the watch ends with the first
  /// call. Callable from any thread.
  package func watch(
    _ descriptor: Int32, for readiness: SocketCalls.Readiness, once: Bool = false,
    _ handler: @escaping Handler
  ) -> Token {
    Token(value: change { $0.watch(descriptor, for: readiness, once: once, handler) })
  }

  /// Calls a handler on the loop once, at the given time, unless cancelled before. Callable from
  /// any thread.
  package func schedule(
    at due: SuspendingClock.Instant, _ handler: @escaping Handler
  ) -> Token {
    Token(value: change { $0.schedule(at: due, handler) })
  }

  /// Ends a watch or a timer; unknown tokens are ignored. Callable from any thread.
  ///
  /// If called on the loop's thread, the handler is not called again. If called on another thread,
  /// a call that has begun continues.
  package func cancel(_ token: Token) { change { $0.remove(token.value) } }

  /// How many descriptors are watched, for tests.
  var watchCount: Int { state.withLock { $0.watches.count } }

  // MARK: - Running

  /// Runs an operation on this thread until it returns. Tasks and actors of the loop run meanwhile.
  ///
  /// Child tasks of the operation stay on the loop. The loop must not be running already.
  ///
  /// - Returns: What the operation returns.
  /// - Throws: What the operation throws.
  public func run<Value: Sendable>(
    _ operation: @escaping @Sendable () async throws -> Value
  ) throws -> Value {
    let outcome = Outcome<Value>()
    let ending = Ending()
    Task(executorPreference: self) {
      do {
        outcome.set(.success(try await operation()))
      } catch {
        outcome.set(.failure(error))
      }
      ending.isReached.store(true, ordering: .releasing)
    }
    while true {
      if let result = outcome.result { return try result.get() }
      turn { ending.isReached.load(ordering: .acquiring) }
    }
  }

  /// Whether an operation has ended. Not a property of ``Outcome``: this is read after each round
  /// of work, and a generic type is slow to look up at run time.
  private final class Ending: Sendable {
    let isReached = Atomic(false)
  }

  private final class Outcome<Value: Sendable>: Sendable {
    private let value = Mutex<Result<Value, any Error>?>(nil)
    var result: Result<Value, any Error>? { value.withLock { $0 } }
    func set(_ result: Result<Value, any Error>) { value.withLock { $0 = result } }
  }

  /// A loop on a thread of its own; nil if the thread can't be started.
  public static let shared: EventLoop? = {
    guard let loop = try? EventLoop() else { return nil }
    return startThread { loop.turn { false } } ? loop : nil
  }()
}

extension EventLoop {
  /// How many rounds of work run before the loop polls again. Without that limit, tasks that keep
  /// each other busy would starve descriptors and timers.
  private static let roundsBetweenPolls = 32

  /// Runs due work, and sleeps if there is none, until `isDone`.
  func turn(until isDone: () -> Bool) {
    thread.withLock { thread in
      precondition(thread == nil, "the event loop runs already")
      thread = pthread_self()
    }
    defer { thread.withLock { $0 = nil } }
    var polled = PollSet(wakeUp: wakeUp.read.number)
    var work: [EventLoopState.Work] = []
    while true {
      for _ in 0..<Self.roundsBetweenPolls {
        state.withLock { $0.exchangeWork(for: &work) }
        if work.isEmpty { break }
        for item in work { run(item) }
        work.removeAll(keepingCapacity: work.count <= 1024)
        if isDone() { return }
      }
      poll(&polled)
      runTimers()
    }
  }

  private func run(_ item: EventLoopState.Work) {
    switch item {
    case .job(let job):
      job.runSynchronously(
        isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
    case .task(let job): job.runSynchronously(on: asUnownedTaskExecutor())
    case .closure(let body): body()
    }
  }

  /// Sleeps until something happens, and calls the handlers of the ready descriptors. If there is
  /// work, polls without sleeping.
  private func poll(_ polled: inout PollSet) {
    let timeout = state.withLock { state -> Int32 in
      if polled.generation != state.watchGeneration { polled.take(state) }
      // Checked under the same lock that `add` takes: a thread that adds work later sees
      // `isPolling` and wakes the loop.
      if state.hasWork { return 0 }
      state.isPolling = true
      return state.nextDue?.pollTimeout ?? -1
    }
    let count = polled.poll(timeout)
    state.withLock { $0.isPolling = false }
    guard count > 0 else { return }
    if polled.isAwakened { drainWakeUps() }
    polled.forEachReady { watch, isOpen in
      // An earlier handler of this round may have cancelled it.
      if state.withLock({ $0.claim(watch, ending: !isOpen) }) { watch.handler() }
    }
  }

  private func drainWakeUps() {
    while case .bytes(let bytes) = SocketCalls.receive(wakeUp.read.number), bytes.count == 1 << 16 {
    }
  }

  private func runTimers() {
    guard state.withLock({ $0.nextDue }) != nil else { return }
    let now = SuspendingClock.now
    let limit = state.withLock { $0.nextToken }
    while let timer = state.withLock({ $0.takeTimer(dueAt: now, below: limit) }) {
      timer.handler()
    }
  }
}

extension EventLoop {
  /// Waits until a time.
  ///
  /// - Throws: `CancellationError` as soon as the task is cancelled.
  package func sleep(until deadline: SuspendingClock.Instant) async throws(CancellationError) {
    let mailbox = Mailbox<Void>()
    let timer = schedule(at: deadline) { mailbox.send(()) }
    defer { cancel(timer) }
    guard await mailbox.next() != nil else { throw CancellationError() }
  }

  /// Waits until a descriptor is ready, at most until the deadline. Returns whether it is ready.
  ///
  /// - Throws: `CancellationError` as soon as the task is cancelled.
  package func ready(
    _ descriptor: Int32, for readiness: SocketCalls.Readiness,
    until deadline: SuspendingClock.Instant
  ) async throws(CancellationError) -> Bool {
    let mailbox = Mailbox<Bool>()
    let watch = watch(descriptor, for: readiness, once: true) { mailbox.send(true) }
    let timer = schedule(at: deadline) { mailbox.send(false) }
    defer {
      cancel(watch)
      cancel(timer)
    }
    guard let isReady = await mailbox.next() else { throw CancellationError() }
    return isReady
  }
}
