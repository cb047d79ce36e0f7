/// The events of one connection since the subscription, in the order in which QEMU sent them.
///
/// Ends when QEMU hangs up or the connection is closed. Nothing is dropped: events that arrive
/// between two `next()` calls are queued. They hold up neither the reader nor another subscriber.
/// For a second consumer, ask the client again.
public struct QMPEvents: AsyncSequence, Sendable {
  /// An event.
  public typealias Element = QMPEvent
  /// The sequence never fails. ``QMPClient/ending`` says why the connection ended.
  public typealias Failure = Never

  /// Ends the mailbox when the subscription is dropped, so that the client removes the subscriber.
  final class Subscription: Sendable {
    let mailbox = Mailbox<QMPEvent>()
    deinit { mailbox.finish() }
  }

  let subscription: Subscription

  /// Starts the iteration. Several iterators share the events among them.
  public func makeAsyncIterator() -> Iterator { Iterator(subscription: subscription) }

  /// Delivers the events one by one.
  public struct Iterator: AsyncIteratorProtocol {
    let subscription: Subscription

    /// The next event; nil at the end and when the task is cancelled.
    public mutating func next() async -> QMPEvent? { await subscription.mailbox.next() }

    /// The next event; nil at the end and when the task is cancelled.
    public mutating func next(isolation actor: isolated (any Actor)?) async -> QMPEvent? {
      await subscription.mailbox.next()
    }
  }
}
