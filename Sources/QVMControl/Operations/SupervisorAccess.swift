internal import QMPClient

/// Connects any process to the supervisor of an instance, also if the supervisor was killed, hangs, or
/// lacks its sockets.
enum SupervisorAccess {
  /// How long a supervisor may take from its lock to its socket; it needs a moment.
  private static let timeout = Duration.seconds(15)
  /// How long a supervisor whose VM runs may take to create its socket again; it takes milliseconds.
  private static let socketTimeout = Duration.seconds(2)
  /// How long a command may hold an instance before others report that.
  private static let moment = Duration.seconds(2)

  /// Connects to the supervisor of an instance. If that was killed, starts one that adopts QEMU.
  ///
  /// - Parameters:
  ///   - name: The instance.
  ///   - files: Its files.
  ///   - store: Where it is.
  ///   - force: Whether to kill a supervisor that can't be reached, and start another.
  ///   - lost: Called first if the socket is gone for good; its result is returned if not nil.
  /// - Returns: The connection; nil if the VM isn't running.
  /// - Throws: ``StopError`` if no supervisor answers.
  static func connect(
    to name: InstanceName, _ files: InstanceFiles, in store: InstanceStore, force: Bool,
    lost: ((BootRecord) throws -> BlockingControlClient?)? = nil
  ) throws -> BlockingControlClient? {
    let begin = SuspendingClock.now
    var deadline = begin.advanced(by: timeout)
    var mayKill = force
    // Since when a supervisor lacks its socket.
    var lacking: SuspendingClock.Instant?
    while FileLock.isHeld(files.vmLock) || FileLock.isHeld(files.supervisorLock) {
      switch read(files) {
      case .success(let boot?):
        let failure: BlockingControlClient.Failure
        do throws(BlockingControlClient.Failure) {
          return try BlockingControlClient(boot.runtime(files), boot: boot.token)
        } catch {
          failure = error
        }
        // Without a QEMU, the holder of the lock is a command that looks, creates or removes.
        if boot.mayLive, let lock = try FileLock.attempt(files.supervisorLock) {
          return try adopt(name, files, boot, lock, in: store)
        }
        if lacking == nil, failure == .absent, boot.wasGreeted, boot.mayLive,
          FileLock.isHeld(files.supervisorLock)
        {
          SocketRenewal.ask(boot, files)
          lacking = .now
        }
        if let since = lacking, since.advanced(by: socketTimeout) <= .now {
          if let client = try lost?(boot) { return client }
          if mayKill, kill(files) {
            (mayKill, lacking) = (false, nil)
            deadline = .now.advanced(by: timeout)
          } else if boot.knownSupervisorPid == nil {
            throw StopError.elsewhere(name: name.text)
          }
        }
      // Without a record, the supervisor's sockets are at their usual place.
      case .success(nil):
        if let client = try? BlockingControlClient(.of(files), boot: nil) { return client }
      case .failure(let damage):
        if let client = try? BlockingControlClient(.of(files), boot: nil) { return client }
        // Without the record, no pid is safe to signal.
        if !FileLock.isHeld(files.supervisorLock), FileLock.isHeld(files.vmLock) {
          throw StopError.unknown(name: name.text, why: damage.message, pid: files.writtenPid)
        }
      }
      if begin.advanced(by: moment) < .now,
        let note = LockOwner(reading: files.supervisorLock), note.isBoot
      {
        throw StopError.starting(name: name.text, pid: note.pid)
      }
      if SuspendingClock.now >= deadline {
        guard mayKill, kill(files) else {
          throw StopError.unreachable(name: name.text, force: force)
        }
        mayKill = false
        deadline = .now.advanced(by: timeout)
      }
      // No event reports a new socket. A start or an end takes only a short time.
      _ = SocketCalls.wait(-1, for: [], until: .now.advanced(by: .milliseconds(20)))
    }
    _ = Reconciliation.reconcile(name, in: store)
    return nil
  }

  private static func read(_ files: InstanceFiles) -> Result<BootRecord?, JSONFileError> {
    do throws(JSONFileError) { return .success(try BootRecord.read(files.boot)) } catch {
      return .failure(error)
    }
  }

  /// Starts a supervisor that adopts an orphan.
  private static func adopt(
    _ name: InstanceName, _ files: InstanceFiles, _ boot: BootRecord, _ lock: FileLock,
    in store: InstanceStore
  ) throws -> BlockingControlClient {
    try store.cache.requireOwn()
    let plan = LaunchPlan(
      kind: .adopt, cache: store.cache.path, name: name.text, command: [],
      runtimeFolder: boot.runtimeFolder, isPortFixed: false,
      removeOnShutdown: boot.removeOnShutdown, shutdownTimeout: boot.shutdownTimeout,
      waitsForConsole: false, isFirst: false)
    let supervisor = try SupervisorProcess.start(
      files: files, supervisorLock: lock, vmLock: nil)
    let client = BlockingControlClient(try supervisor.tell(plan))
    // The supervisor takes this connection as the lease. Give it up: this command may be interrupted.
    client.send(.detach)
    return client
  }

  /// Kills a supervisor that hangs; false if it is unknown or has exited.
  static func kill(_ files: InstanceFiles) -> Bool {
    guard let boot = files.bootRecord else { return false }
    return SocketRenewal.signal(.kill, boot, files)
  }

  /// Ends the VM of a supervisor that can't be reached, by a signal to the supervisor.
  ///
  /// - Parameters:
  ///   - signal: SIGTERM to have it ask the guest, or SIGQUIT to have it end QEMU.
  ///   - boot: Its boot.
  ///   - files: The files of its instance.
  /// - Returns: A stand-in for a connection, which carries nothing and closes once the VM has ended; nil
  ///   if the supervisor has exited.
  /// - Throws: `SystemError` if no socket or no thread can be created for it.
  static func end(
    by signal: Signal, _ boot: BootRecord, _ files: InstanceFiles
  ) throws -> BlockingControlClient? {
    guard SocketRenewal.signal(signal, boot, files) else { return nil }
    let (ours, theirs) = try SocketCalls.pair()
    let started = startThread {
      files.blockUntilEnded()
      withExtendedLifetime(theirs) {}
    }
    if !started { throw SystemError.noThread }
    return BlockingControlClient(ours)
  }
}
