package import QMPClient

/// The state of an instance as seen from outside: by its locks first, then its supervisor, then QEMU's
/// monitor, then its files.
package struct VMStatus: Sendable, Hashable {
  package let name: String
  package let files: InstanceFiles
  package var record: InstanceRecord?
  package var boot: BootRecord?
  package var outcome: Outcome?
  package var phase: Phase
  package var reason: String?
  package var runState: RunState?
  /// Whether all of this is on file, and stays valid until the instance is booted or removed.
  var isSettled = false
  /// Whether the guest is ready, as far as its supervisor knows; nil if that is unknown.
  package var isReady: Bool?
  /// The last read or write error of QEMU in this boot, as reported to its supervisor.
  package var diskError: String?

  /// Whether the guest is possibly not ready yet.
  package var mayStillBoot: Bool {
    isReady != true && [.starting, .running, .paused, .orphaned].contains(phase)
  }

  /// The address and port at which ssh reaches the guest, such as `127.0.0.1:2847`; nil if no port is
  /// forwarded.
  package var ssh: String? {
    guard phase.isAlive, let boot, let port = boot.sshPort else { return nil }
    let address = boot.sshAddress ?? "0.0.0.0"
    return "\(address == "0.0.0.0" ? "*" : address):\(port)"
  }

  /// The private key that logs in to the guest, by its absolute path; nil if the guest was given none.
  package var sshKey: String? {
    guard ssh != nil, let boot, QEMUArguments(boot.command).hasKeyDisk else { return nil }
    return SSHKeyPair.find(in: files.cache)?.privateKey
  }

  /// The published ports: those of the VM, or, if it isn't running, of the next boot, in which a host's port
  /// 0 stands for one that is chosen then.
  package var ports: [PublishedPort] {
    phase.isAlive && boot != nil ? boot?.published ?? [] : record?.published ?? []
  }

  /// The overlay's size on the disk, in bytes.
  package var size: Int { Files.information(files.disk)?.allocated ?? 0 }

  /// How long the supervisor, or QEMU, may take to answer.
  static let answerTimeout = Duration.seconds(1)
  static var deadlineFromNow: SuspendingClock.Instant { .now.advanced(by: answerTimeout) }

  /// Inspects an instance. Takes a few seconds at most, whatever hangs.
  ///
  /// If the VM ended without its supervisor, this reconciles the instance.
  ///
  /// - Throws: `noSuch`, also if `--rm` was carried out just now.
  package static func inspect(
    _ name: InstanceName, in store: InstanceStore
  ) throws(InstanceError) -> VMStatus {
    // While the supervisor answers, the inspection reads files.
    let query = PendingStatusQuery(to: store.files(name))
    return try inspect(name, in: store, query: query, until: deadlineFromNow)
  }

  /// The same with a request that was sent to the supervisor already, if one runs. Waits for the answer
  /// until the deadline.
  static func inspect(
    _ name: InstanceName, in store: InstanceStore, query: PendingStatusQuery?,
    until deadline: SuspendingClock.Instant
  ) throws(InstanceError) -> VMStatus {
    var inspection = try VMInspection(of: name, in: store, query: query, until: deadline)
    return try inspection.run()
  }

  /// Every instance, sorted by name. An instance that is broken or hangs neither hides nor delays the
  /// others.
  ///
  /// - Throws: ``FileError`` if the instances can't be listed.
  package static func all(in store: InstanceStore) throws(FileError) -> [VMStatus] {
    // Every supervisor gets its request before this waits for the first answer. So all that stay silent
    // together cost one timeout.
    let queries = try store.listed().map { (name: $0, PendingStatusQuery(to: store.files($0))) }
    let deadline = deadlineFromNow
    return queries.compactMap { name, query in
      try? inspect(name, in: store, query: query, until: deadline)
    }
  }
}
