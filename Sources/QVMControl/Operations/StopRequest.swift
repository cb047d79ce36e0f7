internal import QMPClient

/// A request to end one VM, from any process: to its supervisor, or to one that takes over from a
/// supervisor that was killed.
package struct StopRequest {
  package struct Completion: Sendable {
    package let sentence: String
    /// Whether the VM ended as was asked for.
    package let isGood: Bool
  }

  package let name: InstanceName
  private let store: InstanceStore
  private let files: InstanceFiles
  /// nil where the VM wasn't running.
  private var supervisor: BlockingControlClient?
  /// How often another supervisor had to be found.
  private var takeovers = 0
  /// The time in which the supervisor could have said something: none in which this process was
  /// suspended, as it is likely to have been, too.
  private var time = CountedTime(at: .now)
  /// When it has said something, by that time.
  private var lastHeard: CountedTime.Instant
  /// Whether another instance's was found in its place.
  private var isOthers = false
  /// Whether its supervisor couldn't be reached, and was told by a signal to end the VM.
  package private(set) var isBySignal = false
  /// Whether it was told a second time, which ends the guest's time.
  private var hasInsisted = false
  /// Whether it has said anything since it was asked.
  private var isConfirmed = false
  private let isForced: Bool
  private let request: ControlRequest
  /// How long a supervisor has from that signal on.
  private let signalTimeout: Duration
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
    let files = files
    var isBySignal = false
    supervisor = try SupervisorAccess.connect(to: name, files, in: store, force: force) {
      let client = try SupervisorAccess.end(by: force ? .quit : .terminate, $0, files)
      isBySignal = client != nil
      return client
    }
    self.isBySignal = isBySignal
    signalTimeout =
      force
      ? Self.forcedTimeout
      : max(
        // Sooner the second would be an echo of the first.
        SignalEchoes.window + .seconds(1),
        .seconds(timeout ?? (try? BootRecord.read(files.boot))?.shutdownTimeout ?? 0))
    token = files.bootToken
    time = CountedTime(at: .now)
    lastHeard = time.now
    request = .stop(force ? .quit : .powerButton, timeout: timeout)
    supervisor?.send(request)
  }

  /// Whether there is a VM to wait for.
  package var isOpen: Bool { supervisor != nil }

  /// Waits until the VM has ended; the ladder's own time-outs end it whatever the guest does.
  /// `note` is called with what happens on the way.
  package func wait(note: (String) -> Void) throws -> Completion {
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
    ended: (InstanceName, Result<Completion, any Error>) -> Void
  ) {
    var open = requests
    while let next = open.map(\.nextLook).min() {
      var ready = BlockingControlClient.ready(open.map(\.supervisor), until: next)
      for place in open.indices { open[place].time.look(at: .now) }
      // One that has been silent for too long is asked, and says so.
      if ready.isEmpty { ready = open.indices.filter { open[$0].deadline <= open[$0].time.now } }
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

  /// How long a supervisor may take to say that it was asked.
  private static let confirmation = Duration.seconds(10)
  /// How long one that can only be told by a signal may take to end QEMU, before it is killed.
  private static let forcedTimeout = Duration.seconds(5)

  /// When its silence has lasted too long.
  private var deadline: CountedTime.Instant {
    if isBySignal, !hasInsisted { return lastHeard.advanced(by: signalTimeout) }
    return lastHeard.advanced(
      by: isConfirmed || isBySignal ? ShutdownLadder.longestSilence : Self.confirmation)
  }

  private var nextLook: SuspendingClock.Instant { time.nextLook(for: deadline) }

  /// Handles what the supervisor says next; the result once the VM has ended.
  private mutating func advance(_ note: (String) -> Void) throws -> Completion? {
    guard let supervisor else {
      return Completion(sentence: "\(name) is not running", isGood: true)
    }
    let told = try event(of: supervisor)
    time.look(at: .now)
    lastHeard = time.now
    isConfirmed = told != nil
    if told == nil {
      takeovers += 1
      guard takeovers < 3 else {
        throw isOthers
          ? StopError.another(name: name.text) : StopError.supervisorEnded(name: name.text)
      }
      if let next = try SupervisorAccess.connect(to: name, files, in: store, force: isForced) {
        (self.supervisor, isBySignal) = (next, false)
        next.send(request)
        return nil
      }
    }
    switch told ?? end {
    case .notice(let text): note("\(name): \(text)")
    case .rung(let rung, let presses):
      if let text = ShutdownRemarks.reached(rung, presses: presses) { note("\(name): \(text)") }
    case .failed(let message, let advice, _):
      // It was asked to end before the guest ran, and so it has.
      if files.hasEnded(boot: token) {
        return Completion(sentence: "\(name): \(message)", isGood: true)
      }
      throw StartError.other(message: message, advice: advice)
    case .ended(let outcome, let removed):
      // Its word alone is not enough: whoever says so may not be who it was.
      guard files.hasEnded(boot: token) else { throw StopError.notEnded(name: name.text) }
      return Completion(
        sentence: outcome.sentence(name.text, disk: removed ? nil : files.disk),
        isGood: [.clean, .unknown, .failedToStart].contains(outcome.result)
          || outcome.result == .forced && isForced)
    default: break
    }
    return nil
  }

  /// What the supervisor says next; nil where it was killed, and its QEMU lives.
  private mutating func event(of supervisor: BlockingControlClient) throws -> ControlEvent? {
    do throws(BlockingControlClient.Failure) {
      return try nextEvent(of: supervisor)
    } catch .silent {
      // To a supervisor a second SIGTERM means that the guest has had its time.
      if isBySignal, !isForced, !hasInsisted, let boot = try? BootRecord.read(files.boot),
        SocketRenewal.signal(.terminate, boot, files)
      {
        hasInsisted = true
        return .phase(.stopping, reason: nil)
      }
      if isForced, SupervisorAccess.kill(files) { return files.hasEnded(boot: token) ? end : nil }
      let pid = (try? BootRecord.read(files.boot))?.knownSupervisorPid
      throw StopError.silent(name: name.text, pid: pid)
    } catch {
      isOthers = error == .another
      return files.hasEnded(boot: token) ? end : nil
    }
  }

  /// - Throws: `silent` where it says nothing until the deadline, and what else keeps it from that.
  private mutating func nextEvent(
    of supervisor: BlockingControlClient
  ) throws(BlockingControlClient.Failure) -> ControlEvent {
    while true {
      do throws(BlockingControlClient.Failure) {
        return try supervisor.event(until: nextLook)
      } catch .silent {
        time.look(at: .now)
        if deadline <= time.now { throw .silent }
      }
    }
  }

  private var end: ControlEvent {
    let (outcome, removed) = Reconciliation.outcome(of: name, boot: token, in: store)
    return .ended(outcome, removed: removed)
  }
}
