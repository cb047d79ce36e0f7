internal import QMPClient

/// A request to end one VM, from any process. It goes to the VM's supervisor, or to a new one that
/// adopts an orphan.
package struct StopRequest {
  /// How the VM ended.
  package struct Completion: Sendable {
    /// What to report.
    package let sentence: String
    /// Whether the VM ended as the user asked.
    package let isGood: Bool
  }

  package let name: InstanceName
  private let store: InstanceStore
  private let files: InstanceFiles
  /// nil if the VM wasn't running.
  private var supervisor: BlockingControlClient?
  /// How often the supervisor was lost.
  private var takeovers = 0
  /// The time in which the supervisor could have sent something. Time in which this process was
  /// suspended doesn't count: the supervisor was probably suspended too.
  private var time = CountedTime(at: .now)
  /// When the supervisor last sent something, by that time.
  private var lastHeard: CountedTime.Instant
  /// Whether another instance's supervisor answered in its place.
  private var isOthers = false
  /// Whether its supervisor couldn't be reached, and got a signal to end the VM.
  package private(set) var isBySignal = false
  /// Whether it got a second signal, which ends the time for the guest.
  private var hasSignalledAgain = false
  /// Whether the supervisor has sent anything since the request.
  private var isConfirmed = false
  private let isForced: Bool
  private let request: ControlRequest
  /// How long a supervisor may take after that signal.
  private let signalTimeout: Duration
  /// The boot that is to end.
  private let token: String?

  /// Connects to the supervisor and sends the request.
  ///
  /// - Parameters:
  ///   - name: The instance.
  ///   - store: Where it is.
  ///   - force: Whether to end QEMU without asking the guest.
  ///   - timeout: How long the guest may take, in seconds; nil for the timeout of its boot.
  /// - Throws: `noSuch`, `broken`; ``StopError`` if no supervisor answers.
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
        // A second signal within the window would count as an echo of the first.
        SignalEchoes.window + .seconds(1),
        .seconds(timeout ?? files.bootRecord?.shutdownTimeout ?? 0))
    token = files.bootToken
    time = CountedTime(at: .now)
    lastHeard = time.now
    request = .stop(force ? .quit : .powerButton, timeout: timeout)
    supervisor?.send(request)
  }

  /// Whether there is a VM to wait for.
  package var isOpen: Bool { supervisor != nil }

  /// Blocks until the VM has ended. The timeouts of the shutdown ladder end it, whatever the guest does.
  ///
  /// - Parameter note: Called with each report on the way.
  /// - Returns: How the VM ended.
  /// - Throws: ``StopError`` if the end can't be waited for; ``StartError`` if the adoption failed.
  package func wait(note: (String) -> Void) throws -> Completion {
    var request = self
    while true {
      if let result = try request.advance(note) { return result }
    }
  }

  /// Blocks until several VMs have ended; they end in parallel.
  ///
  /// - Parameters:
  ///   - requests: The requests, which have been sent.
  ///   - note: Called with each report on the way.
  ///   - ended: Called for each VM once it has ended, or its end can't be waited for.
  package static func wait(
    for requests: [StopRequest], note: (String) -> Void,
    ended: (InstanceName, Result<Completion, any Error>) -> Void
  ) {
    var open = requests
    while let next = open.map(\.nextLook).min() {
      var ready = BlockingControlClient.ready(open.map(\.supervisor), until: next)
      for place in open.indices { open[place].time.look(at: .now) }
      // A request whose supervisor was silent for too long fails when it advances.
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

  /// How long a supervisor may take to confirm the request.
  private static let confirmation = Duration.seconds(10)
  /// How long a supervisor may take to end QEMU after a signal, before it is killed.
  private static let forcedTimeout = Duration.seconds(5)

  /// When the supervisor has been silent for too long.
  private var deadline: CountedTime.Instant {
    if isBySignal, !hasSignalledAgain { return lastHeard.advanced(by: signalTimeout) }
    return lastHeard.advanced(
      by: isConfirmed || isBySignal ? ShutdownLadder.longestSilence : Self.confirmation)
  }

  private var nextLook: SuspendingClock.Instant { time.nextLook(for: deadline) }

  /// Handles the supervisor's next event; the result once the VM has ended.
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
      // The VM was asked to end before the guest ran, and has ended.
      if files.hasEnded(boot: token) {
        return Completion(sentence: "\(name): \(message)", isGood: true)
      }
      throw StartError.other(message: message, advice: advice)
    case .ended(let outcome, let removed):
      // The locks must confirm it: another process may answer at the socket.
      guard files.hasEnded(boot: token) else { throw StopError.notEnded(name: name.text) }
      return Completion(
        sentence: outcome.sentence(name.text, disk: removed ? nil : files.disk),
        isGood: [.clean, .unknown, .failedToStart].contains(outcome.result)
          || outcome.result == .forced && isForced)
    default: break
    }
    return nil
  }

  /// The supervisor's next event; nil if it was killed, and its QEMU lives.
  private mutating func event(of supervisor: BlockingControlClient) throws -> ControlEvent? {
    do throws(BlockingControlClient.Failure) {
      return try nextEvent(of: supervisor)
    } catch .silent {
      // A second SIGTERM tells the supervisor not to wait for the guest any longer.
      if isBySignal, !isForced, !hasSignalledAgain, let boot = files.bootRecord,
        SocketRenewal.signal(.terminate, boot, files)
      {
        hasSignalledAgain = true
        return .phase(.stopping, reason: nil)
      }
      if isForced, SupervisorAccess.kill(files) { return files.hasEnded(boot: token) ? end : nil }
      let pid = files.bootRecord?.knownSupervisorPid
      throw StopError.silent(name: name.text, pid: pid)
    } catch {
      isOthers = error == .another
      return files.hasEnded(boot: token) ? end : nil
    }
  }

  /// Waits for the next event, in time that counts.
  ///
  /// - Throws: `silent` if none comes before the deadline; `ended`, `another`.
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
