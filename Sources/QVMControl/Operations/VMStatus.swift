package import QMPClient

/// What can be told of an instance from outside: from its locks first, then from its supervisor,
/// then from QEMU's monitor, then from its files.
package struct VMStatus: Sendable, Hashable {
  package let name: String
  package let files: InstanceFiles
  package var record: InstanceRecord?
  package var boot: BootRecord?
  package var outcome: Outcome?
  package var phase: Phase
  package var reason: String?
  package var runState: RunState?
  /// Whether all of this is on file, and stays so until somebody boots or removes it.
  private(set) var isSettled = false
  /// Whether the guest is up, as far as its supervisor knows; nil where nothing tells that.
  package var isReady: Bool?
  /// What QEMU could not read or write since it was started, as its supervisor heard it.
  package var diskError: String?

  /// Whether the guest may not be up yet, as far as is known.
  package var mayStillBoot: Bool {
    isReady != true && [.starting, .running, .paused, .orphaned].contains(phase)
  }

  /// How long each question may take.
  private static let patience = Duration.seconds(1)
  static var deadlineFromNow: SuspendingClock.Instant { .now.advanced(by: patience) }

  /// Looks at an instance; never waits longer than a few seconds, whatever hangs.
  ///
  /// A VM that ended without its supervisor is noticed here, and what was to be done then is done.
  ///
  /// - Throws: `noSuch`, also where `--rm` was carried out just now.
  package static func inspect(
    _ name: InstanceName, in store: InstanceStore
  ) throws(InstanceError) -> VMStatus {
    // While the supervisor answers there are files to read.
    let asked = AskedSupervisor(of: store.files(name))
    return try inspect(name, in: store, asked: asked, until: deadlineFromNow)
  }

  /// The same with a supervisor that has been asked already, if there is one; its answer is waited
  /// for until the deadline.
  static func inspect(
    _ name: InstanceName, in store: InstanceStore, asked: AskedSupervisor?,
    until deadline: SuspendingClock.Instant
  ) throws(InstanceError) -> VMStatus {
    let files = try store.existing(name)
    var status = VMStatus(name: name.text, files: files, phase: .stopped)
    do throws(JSONFileError) {
      status.record = try InstanceRecord(reading: files.record)
      var glances = 0
      while glances < 20 {
        if glances > 0 { pause() }
        glances += 1
        let asked = glances == 1 ? asked : nil
        status.boot = if let asked { asked.boot } else { try BootRecord.read(files.boot) }
        status.outcome = try Outcome.read(files.outcome)
        if try status.isLocked {
          if status.boot?.token == status.outcome?.token,
            let note = LockOwner(reading: files.supervisorLock), note.isBoot
          {
            // What is on file is the last boot's.
            status.boot = nil
            status.phase = .starting
            status.reason = "by \(note.writer)"
            return status
          }
          // Another boot may have begun since the record was read.
          if let asked {
            guard let boot = asked.record(in: files) else { continue }
            status.boot = boot
          } else if files.bootToken != status.boot?.token {
            continue
          }
          let until = asked == nil ? deadlineFromNow : deadline
          if status.askTheLiving(
            asked?.probe, until: until, renewingUntil: glances == 1 ? deadline : nil,
            isLate: glances > 10)
          {
            return status
          }
          // It ended while it was asked, or somebody else holds the lock: its files tell which.
          continue
        }
        guard let boot = status.boot else {
          status.reason = "never booted"
          status.isSettled = true
          return status
        }
        if let outcome = status.outcome, outcome.token == boot.token {
          if boot.removesInstance(after: outcome),
            Reconciliation.finish(name, in: store) == .removed
          {
            throw JSONFileError.missing(member: "name", path: files.record)
          }
          status.settle()
          status.isSettled = true
          return status
        }
        // It ended unobserved. Whoever notices first finishes it; then look again.
        // Where even that can't be written down, it stays so.
        if Reconciliation.finish(name, in: store) == .settled { glances += 10 }
        guard store.exists(name) else { break }
      }
    } catch {
      guard store.exists(name) else { throw .noSuch(name: name.text) }
      status.phase = .broken
      status.reason = error.message
      return status
    }
    guard store.exists(name) else { throw .noSuch(name: name.text) }
    // On a full disk, or one that is read-only, nobody can write down how it ended.
    if let boot = status.boot, status.outcome?.token != boot.token {
      status.outcome = Reconciliation.judge(boot, files)
    }
    status.settle()
    if FileLock.isHeld(files.supervisorLock) { status.phase = .stopping }
    return status
  }

  /// Whether somebody boots it or its VM lives.
  private var isLocked: Bool {
    get throws(JSONFileError) {
      do throws(FileError) { return try FileLock.isHeldForCertain(files.vmLock) } catch {
        throw .unreadable(error)
      }
    }
  }

  /// The moment that somebody else's look at a lock, or the last step of an end, takes.
  private static func pause() {
    _ = SocketCalls.wait(-1, for: [], until: .now.advanced(by: .milliseconds(10)))
  }

  /// Every instance, by name; one that is broken or hangs neither hides nor delays the others.
  ///
  /// - Throws: ``FileError`` where the instances can't be listed.
  package static func all(in store: InstanceStore) throws(FileError) -> [VMStatus] {
    // All that live are asked before the first answer is waited for: the silent ones cost their time
    // only once.
    let asked = try store.listed().map { (name: $0, AskedSupervisor(of: store.files($0))) }
    let deadline = deadlineFromNow
    return asked.compactMap { name, supervisor in
      try? inspect(name, in: store, asked: supervisor, until: deadline)
    }
  }

  /// Asks whoever lives; false where nobody seems to, or somebody may be about to listen. What is
  /// still so after some looks, when it is `isLate`, is so. A supervisor whose socket is gone is asked
  /// for another one where `renewal` says how long that may take.
  private mutating func askTheLiving(
    _ asked: BlockingControlClient?, until deadline: SuspendingClock.Instant,
    renewingUntil renewal: SuspendingClock.Instant? = nil, isLate: Bool
  ) -> Bool {
    guard let boot else {
      phase = .starting
      return true
    }
    let runtime = boot.runtime(files)
    do throws(BlockingControlClient.Failure) {
      let probe: BlockingControlClient
      if let asked {
        probe = asked
      } else {
        probe = try BlockingControlClient(runtime, boot: boot.token)
        probe.send(.status)
      }
      let live = try probe.status(until: deadline)
      phase = live["phase"]?.string.flatMap(Phase.init(rawValue:)) ?? .unresponsive
      reason = live["reason"]?.string
      runState = live["runState"]?.string.map(RunState.init(rawValue:))
      isReady = live["ready"]?.bool
      diskError = live["diskError"]?.string
    } catch {
      let isSupervised = FileLock.isHeld(files.supervisorLock)
      switch (isSupervised, error) {
      case (true, .silent):
        phase = .unresponsive
        reason = "the supervisor\(supervisorPid) does not answer"
      // Before it listens, and after it stopped listening, only its lock tells of it.
      case (true, _) where outcome?.token == boot.token || !boot.mayLive: phase = .stopping
      // It listens as soon as QEMU has answered.
      case (true, _) where boot.wasGreeted:
        if error == .absent, let renewal,
          let new = SocketRenewal.reach(boot, files, until: renewal)
        {
          new.send(.status)
          return askTheLiving(new, until: max(deadline, renewal), isLate: isLate)
        }
        if !isLate { return false }
        phase = .unresponsive
        reason =
          error == .another
          ? "another instance answers for it" : "the supervisor\(supervisorPid) cannot be reached"
      case (true, _): phase = .starting
      case (false, _) where boot.mayLive: askTheOrphan(runtime)
      case (false, _): return false
      }
    }
    return true
  }

  private var supervisorPid: String {
    boot?.knownSupervisorPid.map { " (pid \($0))" } ?? ""
  }

  /// Shows what the files say of a VM that doesn't run.
  private mutating func settle() {
    guard let outcome, outcome.token == boot?.token else {
      phase = .stopped
      return
    }
    phase = outcome.phase
    reason = outcome.phase == .stopped ? outcome.result.rawValue : outcome.reason
  }

  /// QEMU lives without a supervisor: its own monitor knows how it is.
  private mutating func askTheOrphan(_ runtime: RuntimeFolder) {
    phase = .orphaned
    do throws(QMPError) {
      let probe = try BlockingQMPClient(
        over: try runtime.connectToMonitor(), timeout: Self.patience)
      runState = try probe.execute(QueryStatus()).status
      reason = "its supervisor was killed"
    } catch {
      reason = "its supervisor was killed; \(error)"
    }
  }
}
