internal import QMPClient

/// A request to end one VM, from any process: to its supervisor, or to one that takes over from a
/// supervisor that was killed.
package struct StopRequest {
  package struct Result: Sendable {
    package let sentence: String
    /// Whether the VM ended as was asked for.
    package let isGood: Bool
  }

  package let name: InstanceName
  private let store: InstanceStore
  private let files: InstanceFiles
  /// nil where the VM wasn't running.
  private var supervisor: ControlProbe?
  /// How often another supervisor had to be found.
  private var takeovers = 0
  /// When the supervisor has said something.
  private var lastHeard = SuspendingClock.now
  private let isForced: Bool
  private let request: ControlRequest
  /// The boot that is to end.
  private let token: String?

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
    self.store = store
    isForced = force
    files = try store.existing(name)
    supervisor = try Self.reach(name, files, in: store)
    token = Self.token(files)
    request = .stop(force ? .quit : .powerButton, timeout: timeout)
    supervisor?.send(request)
  }

  private static func reach(
    _ name: InstanceName, _ files: InstanceFiles, in store: InstanceStore
  ) throws -> ControlProbe? {
    // A supervisor needs a moment from taking its lock to listening.
    let deadline = SuspendingClock.now.advanced(by: .seconds(15))
    while FileLock.isHeld(files.vmLock) || FileLock.isHeld(files.supervisorLock) {
      switch read(files) {
      case .success(let boot?):
        let runtime = RuntimeFolder(path: boot.runtimeFolder)
        if let probe = try? ControlProbe(path: runtime.control) { return probe }
        // A lock that is held without a QEMU is held by somebody who looks, creates or removes.
        if boot.mayLive, let lock = try FileLock.attempt(files.supervisorLock) {
          return try adopt(name, files, boot, lock, in: store)
        }
      case .success(nil): break
      case .failure(let damage):
        // A supervisor doesn't need its record to be found: its sockets are where they always are.
        let runtime = try RuntimeFolder.of(files)
        if let probe = try? ControlProbe(path: runtime.control) { return probe }
        // Without the record nobody knows which process may be signalled.
        if !FileLock.isHeld(files.supervisorLock), FileLock.isHeld(files.vmLock) {
          throw StopError.unknown(name: name.text, why: damage.message, pid: files.writtenPid)
        }
      }
      guard SuspendingClock.now < deadline else { throw StopError.unreachable(name: name.text) }
      // Nothing tells when a socket appears; this is the short time of a start or of an end.
      _ = SocketCalls.wait(-1, for: [], until: .now.advanced(by: .milliseconds(20)))
    }
    _ = Reconciliation.finish(name, in: store)
    return nil
  }

  private static func read(_ files: InstanceFiles) -> Swift.Result<BootRecord?, JSONFileError> {
    do throws(JSONFileError) { return .success(try BootRecord.read(files.boot)) } catch {
      return .failure(error)
    }
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
    var request = self
    while true {
      if let result = try request.advance(note) { return result }
    }
  }

  /// Waits until several VMs have ended, side by side.
  ///
  /// - Parameters:
  ///   - requests: What was asked for.
  ///   - note: Is called with what happens on the way.
  ///   - ended: Is called for each as it ends, or as its end can't be waited for any more.
  package static func wait(
    for requests: [StopRequest], note: (String) -> Void,
    ended: (InstanceName, Swift.Result<Result, any Error>) -> Void
  ) {
    var open = requests
    while let silent = open.map(\.lastHeard).min() {
      var ready = ControlProbe.ready(
        open.map(\.supervisor), until: silent.advanced(by: ShutdownLadder.longestSilence))
      // One that has been silent for too long is asked, and says so.
      if ready.isEmpty { ready = open.indices.filter { open[$0].lastHeard == silent } }
      for place in ready.reversed() {
        do {
          guard let result = try open[place].advance(note) else { continue }
          ended(open[place].name, .success(result))
        } catch {
          ended(open[place].name, .failure(error))
        }
        open.remove(at: place)
      }
    }
  }

  /// Handles what the supervisor says next; the result once the VM has ended.
  private mutating func advance(_ note: (String) -> Void) throws -> Result? {
    guard let supervisor else {
      return Result(sentence: "\(name) is not running", isGood: true)
    }
    let told = try event(of: supervisor)
    lastHeard = .now
    if told == nil {
      takeovers += 1
      guard takeovers < 3 else { throw StopError.supervisorEnded(name: name.text) }
      if let next = try Self.reach(name, files, in: store) {
        self.supervisor = next
        next.send(request)
        return nil
      }
    }
    switch told ?? end() {
    case .notice(let text): note("\(name): \(text)")
    case .rung(let rung, let presses):
      if let text = Self.remark(rung, presses) { note("\(name): \(text)") }
    case .failed(let message, let advice, _):
      // It was asked to end before the guest ran, and so it has.
      if hasEnded() { return Result(sentence: "\(name): \(message)", isGood: true) }
      throw StartError.other(message: message, advice: advice)
    case .ended(let outcome, let removed):
      return Result(
        sentence: outcome.sentence(name.text, disk: removed ? nil : files.disk),
        isGood: [.clean, .unknown, .failedToStart].contains(outcome.result)
          || outcome.result == .forced && isForced)
    default: break
    }
    return nil
  }

  /// What the supervisor says next; nil where it was killed and its QEMU lives.
  private func event(of supervisor: ControlProbe) throws -> ControlEvent? {
    do throws(ControlProbe.Failure) {
      return try supervisor.event(until: lastHeard.advanced(by: ShutdownLadder.longestSilence))
    } catch .silent {
      throw StopError.unreachable(name: name.text)
    } catch {
      return hasEnded() ? end() : nil
    }
  }

  /// Whether neither QEMU nor a supervisor of this boot lives; a process that is being killed closes
  /// its sockets a moment before it drops its locks.
  private func hasEnded() -> Bool {
    let deadline = SuspendingClock.now.advanced(by: .milliseconds(500))
    while FileLock.isHeld(files.vmLock) {
      if Self.token(files) != token { return true }
      guard .now < deadline else { return false }
      _ = SocketCalls.wait(-1, for: [], until: .now.advanced(by: .milliseconds(10)))
    }
    return true
  }

  /// How it ended between the request and its supervisor's last words, as it is on file; what was to
  /// be done after them is done here.
  private func end() -> ControlEvent {
    _ = Reconciliation.finish(name, in: store)
    let outcome = (try? Outcome.read(files.outcome)).flatMap { $0?.token == token ? $0 : nil }
    return .ended(outcome ?? .unobserved, removed: !store.exists(name))
  }

  /// Names the present boot, or the last.
  private static func token(_ files: InstanceFiles) -> String? {
    (try? BootRecord.read(files.boot))?.token
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
