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

  /// How long each question may take.
  private static let patience = Duration.seconds(1)

  /// Looks at an instance; never waits longer than a few seconds, whatever hangs.
  ///
  /// A VM that ended without its supervisor is noticed here, and what was to be done then is done.
  ///
  /// - Throws: `noSuch`, also where `--rm` was carried out just now.
  package static func inspect(
    _ name: InstanceName, in store: InstanceStore
  ) throws(InstanceError) -> VMStatus {
    let files = try store.existing(name)
    var status = VMStatus(name: name.text, files: files, phase: .stopped)
    do throws(JSONFileError) {
      status.record = try InstanceRecord(reading: files.record)
      for _ in 0..<3 {
        status.boot = try BootRecord.read(files.boot)
        status.outcome = try Outcome.read(files.outcome)
        if FileLock.isHeld(files.vmLock) {
          status.askTheLiving()
          return status
        }
        guard let boot = status.boot else {
          status.reason = "never booted"
          return status
        }
        if let outcome = status.outcome, outcome.token == boot.token {
          if boot.removeOnShutdown, outcome.isConfirmedShutdown,
            Reconciliation.finish(name, in: store) == .removed
          {
            throw JSONFileError.missing(member: "name", path: files.record)
          }
          status.phase = outcome.phase
          status.reason = outcome.phase == .stopped ? outcome.result.rawValue : outcome.reason
          return status
        }
        // It ended unobserved. Whoever notices first finishes it; then look again.
        _ = Reconciliation.finish(name, in: store)
        guard store.exists(name) else { break }
      }
    } catch {
      guard store.exists(name) else { throw .noSuch(name: name.text) }
      status.phase = .broken
      status.reason = error.message
      return status
    }
    guard store.exists(name) else { throw .noSuch(name: name.text) }
    status.phase = .unresponsive
    status.reason = "its state changes faster than it can be read"
    return status
  }

  /// Every instance, by name; one that is broken hides none of the others.
  package static func all(in store: InstanceStore) -> [VMStatus] {
    store.names.compactMap { try? inspect($0, in: store) }
  }

  private mutating func askTheLiving() {
    guard let boot else {
      phase = .starting
      return
    }
    let runtime = RuntimeFolder(path: boot.runtimeFolder)
    do throws(ControlProbe.Failure) {
      let live = try ControlProbe.status(path: runtime.control, timeout: Self.patience)
      phase = live["phase"]?.string.flatMap(Phase.init(rawValue:)) ?? .unresponsive
      reason = live["reason"]?.string
      runState = live["runState"]?.string.map(RunState.init(rawValue:))
    } catch {
      if FileLock.isHeld(files.supervisorLock) {
        // Before it listens, and after it stopped listening, only its lock tells of it.
        phase =
          error == .silent ? .unresponsive : (outcome?.token == boot.token ? .stopping : .starting)
        if error == .silent { reason = "the supervisor does not answer" }
      } else {
        askTheOrphan(runtime)
      }
    }
  }

  /// QEMU lives without a supervisor: its own monitor knows how it is.
  private mutating func askTheOrphan(_ runtime: RuntimeFolder) {
    phase = .orphaned
    do throws(QMPError) {
      let probe = try QMPProbe(path: runtime.monitor, timeout: Self.patience)
      runState = try probe.execute(QueryStatus()).status
      reason = "its supervisor was killed"
    } catch {
      reason = "its supervisor was killed; \(error)"
    }
  }
}
