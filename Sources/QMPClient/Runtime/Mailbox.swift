internal import Synchronization

/// An unbounded queue: senders never wait, nothing is dropped, each element goes to one consumer.
///
/// Senders and consumers may be on any thread. A consumer that is cancelled stops waiting at once;
/// several that wait are served in turn.
package final class Mailbox<Element: Sendable>: Sendable {
  private struct State {
    var waiting: [Element] = []
    /// The first element of `waiting` that has not been handed out.
    var head = 0
    var isFinished = false
    var consumers: [(id: UInt64, continuation: CheckedContinuation<Element?, Never>)] = []
    var nextConsumer: UInt64 = 0

    mutating func take() -> Element? {
      guard head < waiting.count else { return nil }
      let element = waiting[head]
      head += 1
      if head == waiting.count {
        waiting.removeAll(keepingCapacity: waiting.count <= 1024)
        head = 0
      } else if head >= 1024, head * 2 >= waiting.count {
        // A consumer that never quite catches up must not keep what it has had.
        waiting.removeSubrange(..<head)
        head = 0
      }
      return element
    }
  }

  private let state = Mutex(State())

  package init() {}

  /// Appends an element.
  ///
  /// - Returns: Whether it was taken; false after ``finish()``.
  @discardableResult
  package func send(_ element: Element) -> Bool {
    let (consumer, isTaken) = state.withLock { state in
      if state.isFinished {
        return (nil as CheckedContinuation<Element?, Never>?, false)
      }
      if !state.consumers.isEmpty { return (state.consumers.removeFirst().continuation, true) }
      state.waiting.append(element)
      return (nil, true)
    }
    consumer?.resume(returning: element)
    return isTaken
  }

  /// Lets the consumers have what is left, then nil.
  package func finish() {
    let consumers = state.withLock { state in
      state.isFinished = true
      defer { state.consumers = [] }
      return state.consumers.map(\.continuation)
    }
    for consumer in consumers { consumer.resume(returning: nil) }
  }

  /// What is there already, without waiting.
  package func poll() -> Element? { state.withLock { $0.take() } }

  /// The next element, in the order they were sent; nil after ``finish()`` and when cancelled.
  ///
  /// What is there already is handed out even to a cancelled task.
  package func next() async -> Element? {
    if let element = poll() { return element }
    let id = state.withLock { state -> UInt64 in
      state.nextConsumer += 1
      return state.nextConsumer
    }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let now: Element?? = state.withLock { state in
          if let element = state.take() { return .some(element) }
          // Asked under the lock: a cancellation after this finds the consumer in the list.
          if state.isFinished || Task.isCancelled { return .some(nil) }
          state.consumers.append((id, continuation))
          return .none
        }
        if let now { continuation.resume(returning: now) }
      }
    } onCancel: {
      let consumer = state.withLock { state -> CheckedContinuation<Element?, Never>? in
        guard let index = state.consumers.firstIndex(where: { $0.id == id }) else { return nil }
        return state.consumers.remove(at: index).continuation
      }
      consumer?.resume(returning: nil)
    }
  }
}
