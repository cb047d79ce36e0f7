internal import Synchronization

/// Tells a service manager that started this command as a service of `Type=notify` how far it is.
///
/// Each message that something goes on asks for some more time, until after the next one is due at
/// the latest: a service that is stuck gets no more. Nothing here waits, and nobody hears of what
/// can't be sent.
package final class ServiceNotifier: Sendable {
  /// How long a download may be silent and still come to something.
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

  /// For the manager that the environment names; nil where there is none. Children don't find it in
  /// the environment any more. Call it before any thread is started.
  package static func fromEnvironment() -> ServiceNotifier? {
    NotifySocket.takeFromEnvironment().map { socket in ServiceNotifier { socket.send($0) } }
  }

  /// Creates a notifier that hands each message, in lines, to a closure.
  package init(_ send: @escaping @Sendable (String) -> Void) { self.send = send }

  private func tell(_ status: String, _ words: String..., more time: Duration? = nil) {
    var lines = words + ["STATUS=\(status)"]
    if let time { lines.append("EXTEND_TIMEOUT_USEC=\(time.components.seconds * 1_000_000)") }
    send(lines.joined(separator: "\n"))
  }

  /// What happened to a download. Only one that goes on gets more time.
  package func take(_ label: String, _ event: ProgressReporter.Event) {
    let now = SuspendingClock.now
    // A name may be a release's, and each line is an assignment.
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

  /// The shutdown has begun, or goes on; the time is what its ladder may need until it says more.
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
