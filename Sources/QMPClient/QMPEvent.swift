/// Something that QEMU reports unasked, such as `SHUTDOWN`.
public struct QMPEvent: Sendable, Hashable {
  /// The name on the wire. Newer QEMUs have events that nobody here knows.
  public let name: String
  /// The members of `data`; empty where there are none.
  public let data: JSONObject
  /// QEMU's wall clock in microseconds since 1970; nil where QEMU could not tell.
  public let timestamp: Int?

  /// Creates an event.
  public init(name: String, data: JSONObject = JSONObject(), timestamp: Int? = nil) {
    self.name = name
    self.data = data
    self.timestamp = timestamp
  }

  init?(_ json: JSONValue) {
    guard let name = json["event"]?.string else { return nil }
    self.name = name
    data = json["data"]?.object ?? JSONObject()
    if let seconds = json["timestamp"]?["seconds"]?.int, seconds >= 0 {
      timestamp = seconds &* 1_000_000 &+ (json["timestamp"]?["microseconds"]?.int ?? 0)
    } else {
      timestamp = nil
    }
  }
}

/// The events of one connection, in the order QEMU sent them, from the moment of asking for them.
///
/// Ends when QEMU hangs up or the connection is closed. Nothing is dropped: events that arrive
/// between two `next()` calls wait, without holding up the reader or another subscriber. One
/// consumer; ask the client again for a second one.
public struct QMPEvents: AsyncSequence, Sendable {
  /// An event.
  public typealias Element = QMPEvent
  /// The events never fail; why the connection ended is the client's to tell.
  public typealias Failure = Never

  /// What makes the client drop a subscriber that nobody holds any longer.
  final class Subscription: Sendable {
    let mailbox = Mailbox<QMPEvent>()
    deinit { mailbox.finish() }
  }

  let subscription: Subscription

  /// Starts the iteration; several share the events between them.
  public func makeAsyncIterator() -> Iterator { Iterator(subscription: subscription) }

  /// Hands out the events one by one.
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
