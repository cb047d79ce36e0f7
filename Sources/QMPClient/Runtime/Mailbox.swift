internal import Synchronization

/// An unbounded queue. Senders never wait, nothing is dropped, and each element goes to one
/// consumer.
///
/// Senders and consumers may be on any thread. A cancelled consumer stops waiting at once. Waiting
/// consumers are served in turn.
package final class Mailbox<Element: Sendable>: Sendable {
  private struct State {
    var waiting: [Element] = []
    /// The index of the first element of `waiting` that was not delivered yet.
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
        // A consumer that never quite catches up must not keep delivered elements in memory.
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

  /// Ends the queue: consumers get the remaining elements, then nil.
  package func finish() {
    let consumers = state.withLock { state in
      state.isFinished = true
      defer { state.consumers = [] }
      return state.consumers.map(\.continuation)
    }
    for consumer in consumers { consumer.resume(returning: nil) }
  }

  /// The next element if there is one already; doesn't wait.
  package func poll() -> Element? { state.withLock { $0.take() } }

  /// The next element, in the order of sending; nil after ``finish()`` and when cancelled.
  ///
  /// A cancelled task still gets an element that is there already.
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
          // Checked under the lock, so a later cancellation finds the consumer in the list.
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
