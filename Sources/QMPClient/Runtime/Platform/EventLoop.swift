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
/// Reading a socket, resuming the task that waits for what was read and running that task happen
/// on one thread, without a hop: this is what makes a QMP round trip as quick as a blocking one.
/// An idle loop sleeps in the kernel; nothing wakes it but a descriptor, a timer that is due, or
/// work handed over from another thread.
///
/// ``run(_:)`` makes the calling thread the loop's; ``shared`` has a thread of its own. Nothing
/// that is bound to a loop goes on while nobody runs it.
public final class EventLoop: SerialExecutor, TaskExecutor, Sendable {
  package typealias Handler = @Sendable () -> Void

  let state = Mutex(EventLoopState())
  /// The thread that runs the loop, if any.
  let thread = Mutex<pthread_t?>(nil)
  let wakeUp: (read: Descriptor, write: Descriptor)

  /// Creates a loop that does nothing until ``run(_:)``.
  ///
  /// - Throws: ``SystemError`` where the process has no descriptors left.
  public init() throws(SystemError) {
    wakeUp = try SocketCalls.pair()
  }

  // MARK: - Executor

  /// Hands a job to the loop; callable from any thread.
  public func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    change { $0.add(.job(job)) }
  }

  /// Hands a job of a task that prefers the loop, and is isolated to none of its actors, to the
  /// loop; callable from any thread.
  ///
  /// Kept apart from the actors' jobs, since a task that is run as if it were isolated to an actor
  /// must be enqueued again after each `await`, even one that has not waited.
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

  /// Traps where the caller is not on the loop's thread, as actor isolation demands.
  public func checkIsolated() {
    precondition(isCurrent, "not on the event loop's thread")
  }

  // MARK: - Work, descriptors, timers

  /// Changes the state and, where the loop sleeps, wakes it once.
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

  /// Runs a closure on the loop, soon; callable from any thread.
  package func perform(_ body: @escaping Handler) { change { $0.add(.closure(body)) } }

  /// Names a watch or a timer, to end it.
  package struct Token: Sendable, Hashable {
    fileprivate let value: UInt64
  }

  /// Calls a handler on the loop each time that a descriptor is ready, until ``cancel(_:)``.
  ///
  /// Level-triggered: the handler must read or write, or cancel. End of file and errors count as
  /// ready. Cancel before closing the descriptor; one that turns out not to be open ends its
  /// watch, after a last call of the handler. A watch that is for `once` ends with the first call.
  /// Callable from any thread.
  package func watch(
    _ descriptor: Int32, for readiness: SocketCalls.Readiness, once: Bool = false,
    _ handler: @escaping Handler
  ) -> Token {
    Token(value: change { $0.watch(descriptor, for: readiness, once: once, handler) })
  }

  /// Calls a handler on the loop once, at a time, unless cancelled before; callable from any
  /// thread.
  package func schedule(
    at due: SuspendingClock.Instant, _ handler: @escaping Handler
  ) -> Token {
    Token(value: change { $0.schedule(at: due, handler) })
  }

  /// Ends a watch or a timer; unknown tokens are ignored. Callable from any thread.
  ///
  /// On the loop's thread, its handler is not called again; from another thread, a call that has
  /// begun goes on.
  package func cancel(_ token: Token) { change { $0.remove(token.value) } }

  /// How many descriptors are watched, for tests.
  var watchCount: Int { state.withLock { $0.watches.count } }

  // MARK: - Running

  /// Runs an operation on this thread until it ends; tasks and actors of the loop run meanwhile.
  ///
  /// Child tasks of the operation stay on the loop. Must not be called on a loop that runs.
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

  /// Whether an operation has ended: asked after every round of work, which the outcome would make
  /// slow, since its type is generic and has to be found out each time.
  private final class Ending: Sendable {
    let isReached = Atomic(false)
  }

  private final class Outcome<Value: Sendable>: Sendable {
    private let value = Mutex<Result<Value, any Error>?>(nil)
    var result: Result<Value, any Error>? { value.withLock { $0 } }
    func set(_ result: Result<Value, any Error>) { value.withLock { $0 = result } }
  }

  /// A loop on a thread of its own, for programs that bring none; nil where none can be had.
  public static let shared: EventLoop? = {
    guard let loop = try? EventLoop() else { return nil }
    return startThread { loop.turn { false } } ? loop : nil
  }()
}
