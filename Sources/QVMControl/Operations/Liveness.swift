package import QMPClient

/// What tells a VM that is dead from one that is slow: whether QEMU answers, and whether the console
/// is written to.
package struct Liveness: Sendable, Hashable {
  /// Who doesn't answer, as a sentence; nil while all do.
  private let silence: String?
  /// Whether QEMU answers its monitor, as far as it is there.
  package var answers: Bool { silence == nil }
  package let runState: RunState?
  /// Changes whenever the guest writes to its console.
  private let console: [Int]
  /// When the console was last written to; nil while it is empty.
  private let lastWritten: Timestamp?

  /// Looks for them; asks for no longer than a second or two.
  ///
  /// - Throws: ``InstanceError``, as an inspection does.
  package init(of name: InstanceName, in store: InstanceStore) throws(InstanceError) {
    let status = try VMStatus.inspect(name, in: store)
    let console = Files.information(status.files.console)
    self.init(
      silence: Self.silence(of: status), runState: status.runState, consoleSize: console?.size ?? 0,
      lastWritten: console.map { Timestamp(seconds: $0.modified) })
  }

  private static func silence(of status: VMStatus) -> String? {
    switch status.phase {
    case .unresponsive: status.reason ?? "QEMU does not answer its monitor"
    case .orphaned where status.runState == nil: status.reason
    default: nil
    }
  }

  init(silence: String?, runState: RunState?, consoleSize: Int, lastWritten: Timestamp?) {
    self.silence = silence
    self.runState = runState
    console = [consoleSize, lastWritten?.seconds ?? 0]
    self.lastWritten = consoleSize > 0 ? lastWritten : nil
  }

  /// Whether there was any since an earlier look.
  package func isAlive(since earlier: Liveness) -> Bool {
    answers || console != earlier.console
  }

  /// What to tell of them, such as `QEMU answers (running); its console was last written to 40 s ago`.
  package func sentence(at now: Timestamp = .now) -> String {
    let monitor = silence ?? runState.map { "QEMU answers (\($0))" } ?? "it is still being started"
    guard let lastWritten else { return "\(monitor); its console is empty" }
    let seconds = max(0, now.seconds - lastWritten.seconds)
    return "\(monitor); its console was last written to \(seconds) s ago"
  }
}

extension Liveness {
  /// How often to look.
  private static let interval = Duration.seconds(5)

  /// Looks again and again; returns when a VM has shown none for so long.
  ///
  /// - Throws: `CancellationError`; ``InstanceError`` where the instance is gone or broken.
  package static func untilSilent(
    _ name: InstanceName, in store: InstanceStore, for timeout: Duration, on loop: EventLoop
  ) async throws {
    var last = try await look(name, store)
    var lastSeen = SuspendingClock.now
    while lastSeen.duration(to: .now) < timeout {
      try await loop.sleep(until: .now.advanced(by: min(interval, timeout / 3)))
      let signs = try await look(name, store)
      if signs.isAlive(since: last) { lastSeen = .now }
      last = signs
    }
  }

  /// Looks on a thread of its own: a second that is waited for QEMU's answer must not hold up whoever
  /// waits for something else on the loop.
  static func look(
    _ name: InstanceName, _ store: InstanceStore
  ) async throws -> Liveness {
    let mailbox = Mailbox<Result<Liveness, InstanceError>>()
    let started = startThread {
      mailbox.send(
        Result { () throws(InstanceError) in try Liveness(of: name, in: store) })
    }
    if !started { return try Liveness(of: name, in: store) }
    guard let result = await mailbox.next() else { throw CancellationError() }
    return try result.get()
  }
}
