internal import QMPClient

/// One inspection of an instance. It looks at the locks and the files and asks the supervisor or QEMU,
/// and repeats that until they agree.
struct VMInspection {
  /// What one look found, and so what to do next.
  private enum Finding {
    /// The status is complete.
    case answer
    /// The instance changed during the look, or its supervisor can't be reached yet.
    case lookAgain
    /// The VM ended, and its outcome is not on file.
    case reconcile
    /// The VM ended as `--rm` demands, and the instance is still there.
    case remove
  }

  /// The result of all looks.
  private enum Conclusion {
    case answered
    /// The instance was removed meanwhile.
    case gone
    /// The VM has ended, and its outcome could not be recorded.
    case unrecorded
  }

  /// How often to look.
  private struct Looks {
    /// The maximum; then the inspection ends with what is known.
    private static let most = 20
    /// After this many, a supervisor that can't be reached is not about to listen.
    private static let early = 10
    /// How long another process holds a lock to test it, or the last step of an end takes.
    private static let interval = Duration.milliseconds(10)

    private var count = 0
    var isFirst: Bool { count == 1 }
    var isLate: Bool { count > Self.early }

    /// Begins the next look, after the interval; false if there were enough.
    mutating func next() -> Bool {
      guard count < Self.most else { return false }
      if count > 0 {
        _ = SocketCalls.wait(-1, for: [], until: .now.advanced(by: Self.interval))
      }
      count += 1
      return true
    }

    /// Skips the early looks, or the late ones.
    mutating func skipHalf() { count += Self.early }
  }

  private let name: InstanceName
  private let store: InstanceStore
  private let query: PendingStatusQuery?
  private let deadline: SuspendingClock.Instant
  private let files: InstanceFiles
  private var status: VMStatus
  private var looks = Looks()

  /// Prepares an inspection.
  ///
  /// - Parameters:
  ///   - name: The instance.
  ///   - store: Where it is.
  ///   - query: The request to its supervisor, if that was sent already.
  ///   - deadline: How long to wait for that answer.
  /// - Throws: `noSuch`.
  init(
    of name: InstanceName, in store: InstanceStore, query: PendingStatusQuery?,
    until deadline: SuspendingClock.Instant
  ) throws(InstanceError) {
    self.name = name
    self.store = store
    self.query = query
    self.deadline = deadline
    files = try store.existing(name)
    status = VMStatus(name: name.text, files: files, phase: .stopped)
  }

  /// Looks until there is an answer; no longer than a few seconds.
  ///
  /// - Returns: The status; of phase `broken` if a record can't be read.
  /// - Throws: `noSuch` if the instance was removed, also by this inspection.
  mutating func run() throws(InstanceError) -> VMStatus {
    let conclusion: Conclusion
    do throws(JSONFileError) { conclusion = try conclude() } catch {
      guard store.exists(name) else { throw .noSuch(name: name.text) }
      status.phase = .broken
      status.reason = error.message
      return status
    }
    switch conclusion {
    case .answered: return status
    case .unrecorded where store.exists(name):
      concludeUnrecorded()
      return status
    case .gone, .unrecorded: throw .noSuch(name: name.text)
    }
  }

  private mutating func conclude() throws(JSONFileError) -> Conclusion {
    status.record = try InstanceRecord(reading: files.record)
    while looks.next() {
      switch try look() {
      case .answer: return .answered
      case .lookAgain: continue
      case .reconcile:
        // On a full or read-only disk the outcome can't be recorded, now or later.
        if Reconciliation.reconcile(name, in: store) == .settled { looks.skipHalf() }
        guard store.exists(name) else { return .gone }
      case .remove:
        if Reconciliation.reconcile(name, in: store) == .removed { return .gone }
        showRecordedOutcome()
        return .answered
      }
    }
    return .unrecorded
  }

  // MARK: - One look

  private mutating func look() throws(JSONFileError) -> Finding {
    let query = looks.isFirst ? query : nil
    status.boot = if let query { query.boot } else { try BootRecord.read(files.boot) }
    status.outcome = try Outcome.read(files.outcome)
    return try isLocked ? lookAtLocked(query) : lookAtUnlocked()
  }

  /// Whether a process boots the instance, or its VM lives.
  private var isLocked: Bool {
    get throws(JSONFileError) {
      do throws(FileError) { return try FileLock.isHeldForCertain(files.vmLock) } catch {
        throw .unreadable(error)
      }
    }
  }

  private mutating func lookAtLocked(_ query: PendingStatusQuery?) throws(JSONFileError) -> Finding
  {
    if status.boot?.token == status.outcome?.token,
      let owner = LockOwner(reading: files.supervisorLock), owner.isBoot
    {
      // The files still describe the last boot.
      status.boot = nil
      status.phase = .starting
      status.reason = "by \(owner.writer)"
      return .answer
    }
    // Another boot may have begun since the record was read.
    if let query {
      guard let boot = query.record(in: files) else { return .lookAgain }
      status.boot = boot
    } else if files.bootToken != status.boot?.token {
      return .lookAgain
    }
    return askSupervisor(
      query?.client, until: query == nil ? VMStatus.deadlineFromNow : deadline,
      renewingUntil: looks.isFirst ? deadline : nil)
  }

  private mutating func lookAtUnlocked() -> Finding {
    guard let boot = status.boot else {
      status.reason = "never booted"
      status.isSettled = true
      return .answer
    }
    guard let outcome = status.outcome, outcome.token == boot.token else { return .reconcile }
    if RemovalPolicy.removes(.ended(boot, outcome)) { return .remove }
    showRecordedOutcome()
    return .answer
  }

  // MARK: - Questions

  /// Asks the supervisor, or QEMU if that is an orphan.
  ///
  /// - Parameters:
  ///   - asked: The connection, if the request was sent already.
  ///   - deadline: How long to wait for the answer.
  ///   - renewal: How long a supervisor whose socket is gone may take to make another; nil not to ask
  ///     for one.
  /// - Returns: Whether that was an answer, or the instance is in transition.
  private mutating func askSupervisor(
    _ asked: BlockingControlClient?, until deadline: SuspendingClock.Instant,
    renewingUntil renewal: SuspendingClock.Instant? = nil
  ) -> Finding {
    guard let boot = status.boot else {
      status.phase = .starting
      return .answer
    }
    do throws(BlockingControlClient.Failure) {
      let client: BlockingControlClient
      if let asked {
        client = asked
      } else {
        client = try BlockingControlClient(boot.runtime(files), boot: boot.token)
        client.send(.status)
      }
      status.take(try client.status(until: deadline))
      return .answer
    } catch {
      return explain(error, of: boot, until: deadline, renewingUntil: renewal)
    }
  }

  /// What it means that a supervisor didn't answer.
  private mutating func explain(
    _ failure: BlockingControlClient.Failure, of boot: BootRecord,
    until deadline: SuspendingClock.Instant, renewingUntil renewal: SuspendingClock.Instant?
  ) -> Finding {
    switch (isSupervised: FileLock.isHeld(files.supervisorLock), failure) {
    case (true, .silent):
      status.phase = .unresponsive
      status.reason = "the supervisor\(supervisorPid) does not answer"
    // Before it listens, and after it stopped listening, only its lock shows that it is there.
    case (true, _) where status.outcome?.token == boot.token || !boot.mayLive:
      status.phase = .stopping
    // It listens once QEMU has answered.
    case (true, _) where boot.wasGreeted:
      if failure == .absent, let renewal,
        let client = SocketRenewal.connect(to: boot, files, until: renewal)
      {
        client.send(.status)
        return askSupervisor(client, until: max(deadline, renewal))
      }
      guard looks.isLate else { return .lookAgain }
      status.phase = .unresponsive
      status.reason =
        failure == .another
        ? "another instance answers for it" : "the supervisor\(supervisorPid) cannot be reached"
    case (true, _): status.phase = .starting
    case (false, _) where boot.mayLive: askOrphan(of: boot)
    // The VM ended during the request, or another process holds the lock. The files show which.
    case (false, _): return .lookAgain
    }
    return .answer
  }

  private var supervisorPid: String {
    status.boot?.knownSupervisorPid.map { " (pid \($0))" } ?? ""
  }

  /// Asks the monitor of a QEMU without a supervisor for the run state.
  private mutating func askOrphan(of boot: BootRecord) {
    status.phase = .orphaned
    do throws(QMPError) {
      let client = try BlockingQMPClient(
        over: try boot.runtime(files).connectToMonitor(), timeout: VMStatus.answerTimeout)
      status.runState = try client.execute(QueryStatus()).status
      status.reason = "its supervisor was killed"
    } catch {
      status.reason = "its supervisor was killed; \(error)"
    }
  }

  // MARK: - Ended

  /// Shows the outcome that is on file.
  private mutating func showRecordedOutcome() {
    status.showOutcome()
    status.isSettled = true
  }

  /// Shows what the files say if the outcome could not be recorded, for example on a full disk.
  private mutating func concludeUnrecorded() {
    if let boot = status.boot, status.outcome?.token != boot.token {
      status.outcome = Reconciliation.inferOutcome(of: boot, in: files)
    }
    status.showOutcome()
    if FileLock.isHeld(files.supervisorLock) { status.phase = .stopping }
  }
}

extension VMStatus {
  /// Shows what a supervisor answered.
  fileprivate mutating func take(_ answer: JSONValue) {
    phase = answer["phase"]?.string.flatMap(Phase.init(rawValue:)) ?? .unresponsive
    reason = answer["reason"]?.string
    runState = answer["runState"]?.string.map(RunState.init(rawValue:))
    isReady = answer["ready"]?.bool
    diskError = answer["diskError"]?.string
  }

  /// Shows how the last boot ended, as far as that is known.
  fileprivate mutating func showOutcome() {
    guard let outcome, outcome.token == boot?.token else {
      phase = .stopped
      return
    }
    phase = outcome.phase
    reason = outcome.phase == .stopped ? outcome.result.rawValue : outcome.reason
  }
}
