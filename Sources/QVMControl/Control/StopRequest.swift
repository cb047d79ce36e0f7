internal import QMPClient

/// A request to end one VM, from any process: to its supervisor, or to one that takes over from a
/// supervisor that was killed.
package struct StopRequest {
  package struct Result: Sendable {
    package let sentence: String
    /// Whether the VM ended as was asked for.
    package let isGood: Bool
  }

  /// A supervisor that says nothing for so long is stuck: the button is pressed every ten seconds,
  /// and QEMU is given a minute to write its disks.
  private static let silence = ShutdownLadder.flushGrace + .seconds(15)

  private let name: InstanceName
  private let files: InstanceFiles
  /// nil where the VM wasn't running.
  private let supervisor: ControlProbe?
  private let isForced: Bool

  /// Finds the supervisor and asks.
  ///
  /// - Parameters:
  ///   - name: The instance.
  ///   - store: Where it is.
  ///   - force: Whether to end QEMU without asking the guest.
  ///   - timeout: How long the guest may take, in seconds; nil for what its boot was given.
  /// - Throws: `noSuch`, `broken`; ``StopError`` where nobody answers.
  package init(
    _ name: InstanceName, in store: InstanceStore, force: Bool, timeout: Int?
  ) throws {
    self.name = name
    isForced = force
    files = try store.existing(name)
    supervisor = try Self.reach(name, files, in: store)
    supervisor?.send(.stop(force ? .quit : .powerButton, timeout: timeout))
  }

  private static func reach(
    _ name: InstanceName, _ files: InstanceFiles, in store: InstanceStore
  ) throws -> ControlProbe? {
    // A supervisor needs a moment from taking its lock to listening.
    let deadline = SuspendingClock.now.advanced(by: .seconds(15))
    while FileLock.isHeld(files.vmLock) {
      if let boot = try? BootRecord.read(files.boot) {
        let runtime = RuntimeFolder(path: boot.runtimeFolder)
        if let probe = try? ControlProbe(path: runtime.control) { return probe }
        // A lock that is held without a QEMU is held by somebody who looks, creates or removes.
        if boot.mayLive, let lock = try FileLock.attempt(files.supervisorLock) {
          return try adopt(name, files, boot, lock, in: store)
        }
      }
      guard SuspendingClock.now < deadline else { throw StopError.unreachable(name: name.text) }
      // Nothing tells when a socket appears; this is the short time of a start or of an end.
      _ = SocketCalls.wait(-1, for: [], until: .now.advanced(by: .milliseconds(20)))
    }
    _ = Reconciliation.finish(name, in: store)
    return nil
  }

  /// Starts a supervisor for a QEMU that lost its own.
  private static func adopt(
    _ name: InstanceName, _ files: InstanceFiles, _ boot: BootRecord, _ lock: FileLock,
    in store: InstanceStore
  ) throws -> ControlProbe {
    try store.cache.requireOwn()
    let plan = LaunchPlan(
      kind: .adopt, cache: store.cache.path, name: name.text, command: [],
      runtimeFolder: boot.runtimeFolder, isPortFixed: false,
      removeOnShutdown: boot.removeOnShutdown, shutdownTimeout: boot.shutdownTimeout,
      waitsForConsole: false, isFirst: false)
    let probe = ControlProbe(
      try SupervisorProcess.start(plan, files: files, supervisorLock: lock, vmLock: nil))
    // It holds this connection as a lease until told otherwise; this command may be interrupted.
    probe.send(.detach)
    return probe
  }

  /// Waits until the VM has ended; the ladder's own time-outs end it whatever the guest does.
  /// `note` is called with what happens on the way.
  package func wait(note: (String) -> Void) throws -> Result {
    guard let supervisor else {
      return Result(sentence: "\(name) is not running", isGood: true)
    }
    while true {
      switch try event(of: supervisor) {
      case .notice(let text): note("\(name): \(text)")
      case .rung(let rung, let presses):
        if let text = Self.remark(rung, presses) { note("\(name): \(text)") }
      case .failed(let message, let advice, _):
        throw StartError.other(message: message, advice: advice)
      case .ended(let outcome, let removed):
        return Result(
          sentence: outcome.sentence(name.text, disk: removed ? nil : files.disk),
          isGood: outcome.result == .clean || outcome.result == .unknown
            || outcome.result == .forced && isForced)
      default: break
      }
    }
  }

  private func event(of supervisor: ControlProbe) throws -> ControlEvent {
    do throws(ControlProbe.Failure) {
      return try supervisor.event(until: .now.advanced(by: Self.silence))
    } catch .silent {
      throw StopError.unreachable(name: name.text)
    } catch {
      // It may have ended between the request and its last words: then they are on file.
      if !FileLock.isHeld(files.vmLock), let outcome = try Outcome.read(files.outcome) {
        return .ended(outcome, removed: false)
      }
      throw StopError.supervisorEnded(name: name.text)
    }
  }

  private static func remark(_ rung: String, _ presses: Int) -> String? {
    switch rung {
    case ShutdownLadder.Rung.powerButton.name:
      presses > 1 ? "pressed the power button again (\(presses) times)" : nil
    case ShutdownLadder.Rung.guestCommand.name: "told the guest by ssh to power off"
    case ShutdownLadder.Rung.quit.name: "ending QEMU"
    case ShutdownLadder.Rung.terminate.name: "sent SIGTERM to QEMU"
    case ShutdownLadder.Rung.kill.name: "sent SIGKILL to QEMU"
    default: nil
    }
  }
}

/// A VM that could not be told to end.
package enum StopError: QVMFailure, Hashable {
  case unreachable(name: String)
  case supervisorEnded(name: String)

  package var message: String {
    switch self {
    case .unreachable(let name): "nobody answers for '\(name)', although it is locked"
    case .supervisorEnded(let name): "the supervisor of '\(name)' ended before the VM did"
    }
  }

  package var advice: String? {
    switch self {
    case .unreachable(let name), .supervisorEnded(let name): "'qvm status \(name)' may tell more."
    }
  }
}
