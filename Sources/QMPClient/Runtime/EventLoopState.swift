/// The state of an event loop: queued work, watched descriptors, timers.
///
/// A value without I/O. ``EventLoop`` guards it with a lock.
struct EventLoopState {
  typealias Handler = @Sendable () -> Void

  enum Work {
    case job(UnownedJob)
    case task(UnownedJob)
    case closure(Handler)
  }

  struct Watch {
    let descriptor: Int32
    let readiness: SocketCalls.Readiness
    let token: UInt64
    /// Whether the watch ends when its handler is called.
    let isOneShot: Bool
    let handler: Handler
  }

  struct Timer {
    let due: SuspendingClock.Instant
    let token: UInt64
    let handler: Handler
  }

  private var work: [Work] = []
  private(set) var watches: [Watch] = []
  /// Sorted by due time, then by age.
  private var timers: [Timer] = []
  /// The token of the next watch or timer. No token is used twice.
  private(set) var nextToken: UInt64 = 1
  /// Changes whenever `watches` does.
  private(set) var watchGeneration: UInt64 = 0
  /// Whether the loop's thread sleeps in poll(2), or is about to.
  var isPolling = false

  var hasWork: Bool { !work.isEmpty }

  var nextDue: SuspendingClock.Instant? { timers.first?.due }

  mutating func add(_ item: Work) { work.append(item) }

  /// Swaps the queued work with an empty list, so that both arrays keep their memory.
  mutating func exchangeWork(for empty: inout [Work]) { swap(&work, &empty) }

  private mutating func newToken() -> UInt64 {
    defer { nextToken += 1 }
    return nextToken
  }

  mutating func watch(
    _ descriptor: Int32, for readiness: SocketCalls.Readiness, once: Bool,
    _ handler: @escaping Handler
  ) -> UInt64 {
    let token = newToken()
    watches.append(
      Watch(
        descriptor: descriptor, readiness: readiness, token: token, isOneShot: once,
        handler: handler))
    watchGeneration += 1
    return token
  }

  /// Whether a watch still exists and its handler may be called. Removes a one-shot watch, and one
  /// whose descriptor is not open.
  mutating func claim(_ watch: Watch, ending: Bool) -> Bool {
    guard let index = watches.firstIndex(where: { $0.token == watch.token }) else { return false }
    if ending || watch.isOneShot {
      watches.remove(at: index)
      watchGeneration += 1
    }
    return true
  }

  mutating func schedule(at due: SuspendingClock.Instant, _ handler: @escaping Handler) -> UInt64 {
    let token = newToken()
    // A new timer is mostly the latest, so the search begins at the end.
    let index = timers.lastIndex { $0.due <= due }.map { $0 + 1 } ?? 0
    timers.insert(Timer(due: due, token: token, handler: handler), at: index)
    return token
  }

  /// Removes and returns the first timer that is due.
  ///
  /// Only timers with tokens below the limit count. So a handler that sets a timer in the past
  /// doesn't keep the loop busy for ever.
  mutating func takeTimer(dueAt now: SuspendingClock.Instant, below limit: UInt64) -> Timer? {
    for (index, timer) in timers.enumerated() {
      if timer.due > now { return nil }
      if timer.token < limit { return timers.remove(at: index) }
    }
    return nil
  }

  /// Removes a watch or a timer; unknown tokens are ignored.
  mutating func remove(_ token: UInt64) {
    if let index = timers.firstIndex(where: { $0.token == token }) {
      timers.remove(at: index)
    } else if let index = watches.firstIndex(where: { $0.token == token }) {
      watches.remove(at: index)
      watchGeneration += 1
    }
  }
}
