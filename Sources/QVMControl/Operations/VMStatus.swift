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
  var isSettled = false
  /// Whether the guest is up, as far as its supervisor knows; nil where nothing tells that.
  package var isReady: Bool?
  /// What QEMU could not read or write since it was started, as its supervisor heard it.
  package var diskError: String?

  /// Whether the guest may not be up yet, as far as is known.
  package var mayStillBoot: Bool {
    isReady != true && [.starting, .running, .paused, .orphaned].contains(phase)
  }

  /// How long each question may take.
  static let answerTimeout = Duration.seconds(1)
  static var deadlineFromNow: SuspendingClock.Instant { .now.advanced(by: answerTimeout) }

  /// Looks at an instance; never waits longer than a few seconds, whatever hangs.
  ///
  /// A VM that ended without its supervisor is noticed here, and what was to be done then is done.
  ///
  /// - Throws: `noSuch`, also where `--rm` was carried out just now.
  package static func inspect(
    _ name: InstanceName, in store: InstanceStore
  ) throws(InstanceError) -> VMStatus {
    // While the supervisor answers there are files to read.
    let query = PendingStatusQuery(to: store.files(name))
    return try inspect(name, in: store, query: query, until: deadlineFromNow)
  }

  /// The same with a supervisor that has been asked already, if there is one; its answer is waited
  /// for until the deadline.
  static func inspect(
    _ name: InstanceName, in store: InstanceStore, query: PendingStatusQuery?,
    until deadline: SuspendingClock.Instant
  ) throws(InstanceError) -> VMStatus {
    var inspection = try VMInspection(of: name, in: store, query: query, until: deadline)
    return try inspection.run()
  }

  /// Every instance, by name; one that is broken or hangs neither hides nor delays the others.
  ///
  /// - Throws: ``FileError`` where the instances can't be listed.
  package static func all(in store: InstanceStore) throws(FileError) -> [VMStatus] {
    // All that live are asked before the first answer is waited for: the silent ones cost their time
    // only once.
    let queries = try store.listed().map { (name: $0, PendingStatusQuery(to: store.files($0))) }
    let deadline = deadlineFromNow
    return queries.compactMap { name, query in
      try? inspect(name, in: store, query: query, until: deadline)
    }
  }
}
