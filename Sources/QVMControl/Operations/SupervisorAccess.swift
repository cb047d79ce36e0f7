internal import QMPClient

/// Gets a connection to the supervisor of an instance, from any process, even if it has to be started
/// or its sockets are gone.
enum SupervisorAccess {
  /// A supervisor needs a moment from taking its lock to listening.
  private static let timeout = Duration.seconds(15)
  /// A supervisor whose VM runs has its socket, and gets it back within milliseconds.
  private static let socketTimeout = Duration.seconds(2)
  /// So long a command may have an instance before others speak of it.
  private static let moment = Duration.seconds(2)

  /// Connects to the supervisor of an instance, or starts one where it was killed.
  ///
  /// - Parameters:
  ///   - name: The instance.
  ///   - files: Its files.
  ///   - store: Where it is.
  ///   - force: Whether a supervisor that can't be reached is killed, for another one.
  ///   - lost: What is done first with one whose socket is gone for good.
  /// - Returns: The connection; nil where the VM isn't running.
  /// - Throws: ``StopError`` where nobody answers.
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
        // A lock that is held without a QEMU is held by somebody who looks, creates or removes.
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
      // A supervisor doesn't need its record to be found: its sockets are where they always are.
      case .success(nil):
        if let client = try? BlockingControlClient(.of(files), boot: nil) { return client }
      case .failure(let damage):
        if let client = try? BlockingControlClient(.of(files), boot: nil) { return client }
        // Without the record nobody knows which process may be signalled.
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
      // Nothing tells when a socket appears; this is the short time of a start or of an end.
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

  /// Starts a supervisor for a QEMU that lost its own.
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
    // It holds this connection as a lease until told otherwise; this command may be interrupted.
    client.send(.detach)
    return client
  }

  /// Kills a supervisor that hangs; false where it isn't known, or isn't there.
  static func kill(_ files: InstanceFiles) -> Bool {
    guard let boot = try? BootRecord.read(files.boot) else { return false }
    return SocketRenewal.signal(.kill, boot, files)
  }

  /// Has a supervisor that can't be reached end its VM, as it does after a signal.
  ///
  /// - Parameters:
  ///   - signal: SIGTERM, by which it asks the guest, or SIGQUIT, by which it ends QEMU.
  ///   - boot: Its boot.
  ///   - files: The instance's.
  /// - Returns: What stands for a connection to it: it ends with the VM, and nothing comes by it; nil
  ///   where the supervisor isn't there.
  /// - Throws: `SystemError` where there is no socket or no thread for that.
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
