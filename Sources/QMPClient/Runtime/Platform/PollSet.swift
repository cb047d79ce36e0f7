#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// The arguments of poll(2), kept from one call to the next.
struct PollSet {
  /// The `watchGeneration` of these watches.
  private(set) var generation: UInt64 = 0
  private var watches: [EventLoopState.Watch] = []
  /// The descriptor that wakes the loop, then one for each watch.
  private var entries: [pollfd]

  init(wakeUp descriptor: Int32) {
    entries = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)]
  }

  /// Copies the watches of a loop.
  mutating func take(_ state: EventLoopState) {
    generation = state.watchGeneration
    watches = state.watches
    entries.removeSubrange(1...)
    for watch in watches {
      entries.append(pollfd(fd: watch.descriptor, events: watch.readiness.rawValue, revents: 0))
    }
  }

  /// Sleeps until a descriptor is ready, at most `timeout` milliseconds; for ever if negative.
  ///
  /// - Returns: How many are ready; negative if a signal or an error ended the sleep.
  mutating func poll(_ timeout: Int32) -> Int32 {
    let count = nfds_t(entries.count)
    #if canImport(Darwin)
      return Darwin.poll(&entries, count, timeout)
    #elseif canImport(Glibc)
      return Glibc.poll(&entries, count, timeout)
    #else
      return Musl.poll(&entries, count, timeout)
    #endif
  }

  /// Whether another thread woke the loop.
  var isAwakened: Bool { entries[0].revents != 0 }

  /// Calls a body for each watch whose descriptor is ready or not open.
  func forEachReady(_ body: (_ watch: EventLoopState.Watch, _ isOpen: Bool) -> Void) {
    for (index, watch) in watches.enumerated() where entries[index + 1].revents != 0 {
      body(watch, entries[index + 1].revents & Int16(POLLNVAL) == 0)
    }
  }
}
