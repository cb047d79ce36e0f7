internal import Synchronization

/// Reports progress to a service manager that started this command as a service of `Type=notify`.
///
/// Each report of progress extends the manager's timeout until a little after the next report is due.
/// So a service that is stuck gets no more time. Nothing here waits, and a message that can't be sent
/// is dropped.
package final class ServiceNotifier: Sendable {
  /// How long a download may stall and still continue.
  private static let downloadSilence = Duration.seconds(TransferLimits().stallSeconds) * 2
  /// How long a guest may take from its first instruction until it is ready.
  private static let bootTime = Duration.seconds(900)
  /// The time between two reports of a download.
  private static let reportInterval = Duration.seconds(2)

  private struct State {
    /// How much of each download is there, in bytes, and what it has in all.
    var downloads: [String: (done: Int, total: Int?)] = [:]
    var reportedAt: SuspendingClock.Instant?
    var isReady = false
    var isStopping = false
  }

  private let send: @Sendable (String) -> Void
  private let state = Mutex(State())

  /// A notifier for the manager that the environment names; nil if there is none. Removes the name from
  /// the environment, so that children don't see it. Call this before any thread is started.
  package static func fromEnvironment() -> ServiceNotifier? {
    NotifySocket.takeFromEnvironment().map { socket in ServiceNotifier { socket.send($0) } }
  }

  /// Creates a notifier that passes each message, one assignment a line, to a closure.
  package init(_ send: @escaping @Sendable (String) -> Void) { self.send = send }

  private func tell(_ status: String, _ words: String..., more time: Duration? = nil) {
    var lines = words + ["STATUS=\(status)"]
    if let time { lines.append("EXTEND_TIMEOUT_USEC=\(time.components.seconds * 1_000_000)") }
    send(lines.joined(separator: "\n"))
  }

  /// Reports an event of a download. Only a download that advances gets more time.
  package func take(_ label: String, _ event: ProgressReporter.Event) {
    let now = SuspendingClock.now
    // A label may come from a release, and a newline in it would begin another assignment.
    let label = ForeignText.line(label)
    let status = state.withLock { state -> String? in
      let interval = state.reportedAt.map { $0.duration(to: now) } ?? .seconds(3600)
      switch event {
      case .began(let done, let total), .followed(let done, let total):
        state.downloads[label] = (done, total)
      case .ended: state.downloads[label] = nil
      case .advanced(let done):
        guard let known = state.downloads[label], done > known.done else { return nil }
        if interval < Self.reportInterval { return nil }
        state.downloads[label]?.done = done
      }
      state.reportedAt = now
      let all = state.downloads.sorted { $0.key < $1.key }.map(Self.text)
      return all.isEmpty
        ? "checking what was downloaded" : "downloading " + all.joined(separator: ", ")
    }
    if let status { tell(status, more: Self.downloadSilence) }
  }

  private static func text(_ label: String, _ download: (done: Int, total: Int?)) -> String {
    guard let total = download.total, total > 0 else {
      return "\(label) (\(ByteCount.text(download.done)))"
    }
    return "\(label) (\(min(100, download.done * 100 / total))%)"
  }

  /// The guest executes.
  package func booting() { tell("booting", more: Self.bootTime) }

  /// The guest is ready.
  package func ready() {
    let isNews = state.withLock { state in
      defer { state.isReady = true }
      return !state.isReady && !state.isStopping
    }
    if isNews { tell("running", "READY=1") }
  }

  /// The shutdown has begun or continues. Asks for the time that the ladder may need until its next
  /// report.
  package func stopping() {
    let isFirst = state.withLock { state in
      defer { state.isStopping = true }
      return !state.isStopping
    }
    let time = ShutdownLadder.longestSilence
    if isFirst {
      tell("powering off", "STOPPING=1", more: time)
    } else {
      tell("powering off", more: time)
    }
  }
}
