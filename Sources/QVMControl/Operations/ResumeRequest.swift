internal import QMPClient

/// Resumes the guest of a paused VM: after its disk was full, or after a client of its monitor had
/// stopped it. An orphan gets a new supervisor first.
package enum ResumeRequest {
  private static let timeout = Duration.seconds(6)
  /// QEMU reports that the guest is resumed, and only then retries what failed. If that fails again it
  /// stops the guest within milliseconds. No event reports a success.
  private static let settling = Duration.milliseconds(500)

  /// Resumes a VM.
  ///
  /// - Parameters:
  ///   - name: The instance.
  ///   - store: Where it is.
  /// - Returns: Why it was paused; nil if it wasn't, and nothing was done.
  /// - Throws: ``ResumeError``; `noSuch`; ``StopError`` if an orphan can't be adopted.
  package static func send(_ name: InstanceName, in store: InstanceStore) throws -> String? {
    let status = try VMStatus.inspect(name, in: store)
    guard let boot = status.boot else { return nil }
    do {
      if status.phase == .paused {
        try resume(
          name, by: try BlockingControlClient(boot.runtime(status.files), boot: boot.token))
        return ForeignText.line(status.reason ?? Phase.paused.rawValue)
      }
      // `prelaunch`: the start was never completed, so the guest was never paused.
      guard status.phase == .orphaned, let state = status.runState, !state.executes,
        state != .prelaunch,
        let new = try SupervisorAccess.connect(
          to: name, status.files, in: store, force: false),
        try isPaused(afterTakeOver: new)
      else { return nil }
      try resume(name, by: new)
      return state.rawValue
    } catch is BlockingControlClient.Failure {
      throw StopError.unreachable(name: name.text, force: false)
    }
  }

  /// Waits until a supervisor that adopted the VM reports its phase.
  private static func isPaused(afterTakeOver supervisor: BlockingControlClient) throws -> Bool {
    supervisor.send(.subscribe)
    let deadline = SuspendingClock.now.advanced(by: timeout)
    while true {
      switch try supervisor.event(until: deadline) {
      case .phase(.paused, _): return true
      case .phase(.running, _), .phase(.unresponsive, _), .phase(.stopping, _), .ended: return false
      case .failed(let message, let advice, _):
        throw StartError.other(message: message, advice: advice)
      default: continue
      }
    }
  }

  private static func resume(_ name: InstanceName, by supervisor: BlockingControlClient) throws {
    supervisor.send(.resume)
    let answer = try supervisor.answer(to: "resume", until: .now.advanced(by: timeout))
    if answer["resume"]?.string != "done" {
      throw ResumeError.refused(name: name.text, why: ForeignText.line(answer["why"]?.string ?? ""))
    }
    try waitForPause(supervisor)
    supervisor.send(.status)
    let now = try supervisor.status(until: .now.advanced(by: timeout))
    if now["phase"]?.string == Phase.paused.rawValue {
      throw ResumeError.pausedAgain(name: name.text, reason: now["reason"]?.string ?? "")
    }
  }

  /// Returns once the guest is paused again, or ``settling`` has passed.
  private static func waitForPause(_ supervisor: BlockingControlClient) throws(BlockingControlClient
    .Failure)
  {
    let deadline = SuspendingClock.now.advanced(by: settling)
    do throws(BlockingControlClient.Failure) {
      while true {
        if case .phase(.paused, _) = try supervisor.event(until: deadline) { return }
      }
    } catch .silent {
      return
    }
  }
}

/// A paused VM that could not be resumed.
package enum ResumeError: UserFacingError, Hashable {
  case refused(name: String, why: String)
  /// It was resumed, and paused again for the same reason.
  case pausedAgain(name: String, reason: String)

  package var message: String {
    switch self {
    case .refused(let name, let why): "cannot resume '\(name)': \(why)"
    case .pausedAgain(let name, let reason): "'\(name)' was paused again: \(reason)"
    }
  }

  package var advice: String? {
    switch self {
    case .refused(let name, _): "'qvm stop \(name)' ends it."
    case .pausedAgain(let name, _):
      "Free disk space, or fix what it names, and run 'qvm start \(name)' again. 'qvm stop \(name)' ends it and keeps its disk."
    }
  }
}
