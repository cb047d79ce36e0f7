#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

extension SocketCalls {
  /// What to wait for in ``wait(_:for:until:)``.
  package struct Readiness: OptionSet, Sendable {
    package let rawValue: Int16
    package init(rawValue: Int16) { self.rawValue = rawValue }
    package static let read = Readiness(rawValue: Int16(POLLIN))
    package static let write = Readiness(rawValue: Int16(POLLOUT))
  }

  /// Blocks until the descriptor is ready, at most until the deadline. Returns whether it is ready.
  package static func wait(
    _ descriptor: Int32, for readiness: Readiness, until deadline: SuspendingClock.Instant
  ) -> Bool {
    var entry = pollfd(fd: descriptor, events: readiness.rawValue, revents: 0)
    while true {
      let result = poll(&entry, 1, deadline.pollTimeout)
      if result > 0 { return true }
      if result == 0 || errno != EINTR { return false }
    }
  }

  /// Blocks until one of the descriptors can be read, at most until the deadline. Returns the
  /// indices of those that can.
  package static func readable(
    _ descriptors: [Int32], until deadline: SuspendingClock.Instant
  ) -> [Int] {
    var entries = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    while true {
      let result = poll(&entries, nfds_t(entries.count), deadline.pollTimeout)
      if result < 0, errno == EINTR { continue }
      return entries.indices.filter { entries[$0].revents != 0 }
    }
  }
}

extension SuspendingClock.Instant {
  /// The time until this instant in milliseconds, rounded up so that a timer is never early.
  package var pollTimeout: Int32 {
    let left = SuspendingClock.now.duration(to: self)
    if left <= .zero { return 0 }
    let (seconds, attoseconds) = left.components
    if seconds > 1_000_000 { return 1_000_000_000 }
    return Int32(seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
  }
}
