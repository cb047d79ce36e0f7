internal import QMPClient

extension InstanceStore {
  /// Both locks of an instance. Only their holder may boot, reconcile or remove it.
  struct Claim {
    let supervisor: FileLock
    let vm: FileLock
  }

  /// How long to wait for another command that only checks the locks, or for a VM that is just
  /// ending.
  private static let maximumWait = Duration.seconds(1)

  /// Takes both locks of an instance.
  ///
  /// The supervisor's first. A supervisor that has adopted a QEMU holds that lock. So no other
  /// process can get `vm.lock` between the exit of QEMU and what must be done after it.
  ///
  /// - Throws: `running`, `busy` or `removed`, if another command was faster; ``FileError``.
  func claim(_ name: InstanceName, to doing: String) throws -> Claim {
    let files = files(name)
    let deadline = SuspendingClock.now.advanced(by: Self.maximumWait)
    while true {
      do throws(FileError) {
        if let supervisor = try FileLock.attempt(files.supervisorLock),
          let vm = try FileLock.attempt(files.vmLock)
        {
          LockOwner(doing: doing).write(into: supervisor)
          return Claim(supervisor: supervisor, vm: vm)
        }
      } catch {
        guard exists(name) else { throw InstanceError.removed(name: name.text, doing: doing) }
        throw error
      }
      if let error = running(files, name, doing) { throw error }
      guard exists(name) else { throw InstanceError.removed(name: name.text, doing: doing) }
      guard .now < deadline else { throw busy(files, name, doing) }
      _ = SocketCalls.wait(-1, for: [], until: .now.advanced(by: .milliseconds(10)))
    }
  }

  /// The error for a command that finds an instance although it wanted to create one.
  func taken(_ name: InstanceName, doing: String) -> InstanceError {
    running(files(name), name, doing) ?? busy(files(name), name, doing)
  }

  private func busy(
    _ files: InstanceFiles, _ name: InstanceName, _ doing: String
  ) -> InstanceError {
    let note = LockOwner(reading: files.supervisorLock)
    return .busy(
      name: name.text, doing: doing,
      holder: note.map { "\($0.writer), to \($0.doing) it" })
  }

  /// The error for an instance whose QEMU is running; nil if none is known to run.
  private func running(
    _ files: InstanceFiles, _ name: InstanceName, _ doing: String
  ) -> InstanceError? {
    guard FileLock.isHeld(files.vmLock), let boot = files.bootRecord,
      boot.pid != nil, boot.mayLive
    else { return nil }
    let system = (try? InstanceRecord(reading: files.record))?.target.operatingSystem
    return .running(
      name: name.text, doing: doing, pid: boot.knownPid, since: boot.startedAt,
      hasSSH: system?.sshUser != nil)
  }

  /// The other instance whose VM forwards a port; nil if none is known.
  func holder(
    ofPort port: Int, _ transport: NetworkPort.Transport, but own: String
  ) -> InstanceName? {
    names.first { name in
      let files = files(name)
      guard name.text != own, let boot = files.bootRecord, boot.forwards(port, transport)
      else { return false }
      return boot.mayLive && FileLock.isHeld(files.vmLock)
    }
  }
}
