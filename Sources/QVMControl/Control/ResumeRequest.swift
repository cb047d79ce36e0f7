internal import QMPClient

/// Lets the guest of a paused VM go on: one whose disk was full, or that somebody stopped by its
/// monitor.
package enum ResumeRequest {
  private static let patience = Duration.seconds(6)
  /// QEMU tries again what failed only after it has said that the guest goes on, and if that fails
  /// it stops the guest again within milliseconds; nothing tells that it did not.
  private static let settling = Duration.milliseconds(500)

  /// Resumes a VM.
  ///
  /// - Parameters:
  ///   - name: The instance.
  ///   - store: Where it is.
  /// - Returns: Why it was paused; nil where it isn't, and nothing was done.
  /// - Throws: ``ResumeError``; `noSuch`.
  package static func send(_ name: InstanceName, in store: InstanceStore) throws -> String? {
    let status = try VMStatus.inspect(name, in: store)
    guard status.phase == .paused, let boot = status.boot else { return nil }
    let reason = status.reason ?? Phase.paused.rawValue
    do {
      let supervisor = try ControlProbe(path: RuntimeFolder(path: boot.runtimeFolder).control)
      supervisor.send(.resume)
      let answer = try supervisor.answer(to: "resume", until: .now.advanced(by: patience))
      if answer["resume"]?.string != "done" {
        throw ResumeError.refused(name: name.text, why: answer["why"]?.string ?? "")
      }
      try waitForPause(supervisor)
      supervisor.send(.status)
      let now = try supervisor.status(until: .now.advanced(by: patience))
      if now["phase"]?.string == Phase.paused.rawValue {
        throw ResumeError.pausedAgain(name: name.text, reason: now["reason"]?.string ?? "")
      }
      return reason
    } catch is ControlProbe.Failure {
      throw StopError.unreachable(name: name.text, force: false)
    }
  }

  /// Returns when the guest was stopped again, or had its time for that.
  private static func waitForPause(_ supervisor: ControlProbe) throws(ControlProbe.Failure) {
    let deadline = SuspendingClock.now.advanced(by: settling)
    do throws(ControlProbe.Failure) {
      while true {
        if case .phase(.paused, _) = try supervisor.event(until: deadline) { return }
      }
    } catch .silent {
      return
    }
  }
}

/// A paused VM that doesn't go on.
package enum ResumeError: QVMFailure, Hashable {
  case refused(name: String, why: String)
  /// It went on, and what had stopped it stopped it again.
  case pausedAgain(name: String, reason: String)

  package var message: String {
    switch self {
    case .refused(let name, let why): "'\(name)' can't go on: \(why)"
    case .pausedAgain(let name, let reason): "'\(name)' was stopped again: \(reason)"
    }
  }

  package var advice: String? {
    switch self {
    case .refused(let name, _): "'qvm stop \(name)' ends it."
    case .pausedAgain(let name, _):
      "Make room there and try again; 'qvm stop \(name)' ends it, its disk as it is."
    }
  }
}
