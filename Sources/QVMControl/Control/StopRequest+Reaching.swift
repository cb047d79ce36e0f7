internal import QMPClient

extension StopRequest {
  /// Connects to the supervisor of an instance, or starts one where it was killed.
  ///
  /// - Parameters:
  ///   - name: The instance.
  ///   - files: Its files.
  ///   - store: Where it is.
  /// - Returns: The connection; nil where the VM isn't running.
  /// - Throws: ``StopError`` where nobody answers.
  static func reach(
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
}
