package import QMPClient

/// What distinguishes a dead VM from a slow one: whether QEMU answers, and whether the guest writes to
/// its console.
package struct Liveness: Sendable, Hashable {
  /// A sentence that names the process that does not answer; nil if all do.
  private let silence: String?
  /// Whether the supervisor and QEMU answer; true before they are there.
  package var answers: Bool { silence == nil }
  package let runState: RunState?
  /// Changes whenever the guest writes to its console.
  private let console: [Int]
  /// When the console was last written to; nil while it is empty.
  private let lastWritten: Timestamp?

  /// Inspects a VM; takes a second or two at most.
  ///
  /// - Throws: ``InstanceError``, as ``VMStatus/inspect(_:in:)`` does.
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

  /// Whether the VM has shown a sign of life since an earlier look.
  package func isAlive(since earlier: Liveness) -> Bool {
    answers || console != earlier.console
  }

  /// A sentence, such as `QEMU answers (running); its console was last written to 40 s ago`.
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

  /// Looks again and again. Returns once the VM has shown no sign of life for the length of `timeout`.
  ///
  /// - Throws: `CancellationError`; ``InstanceError`` if the instance is gone or broken.
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

  /// Looks on a thread of its own, because the wait for QEMU's answer would block the loop's other
  /// tasks for a second.
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
