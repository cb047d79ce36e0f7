internal import QMPClient

extension InstanceFiles {
  /// Blocks until neither QEMU nor its supervisor lives: until this boot's locks are free, or the
  /// instance is gone.
  package func blockUntilEnded() {
    let token = bootToken
    // A supervisor that took over gets its QEMU's lock a moment after it is free; until it has done
    // the rest it holds its own.
    while (try? FileLock.untilFree(vmLock)) != nil, FileLock.isHeld(supervisorLock),
      bootToken == token
    {
      _ = SocketCalls.wait(-1, for: [], until: .now.advanced(by: .milliseconds(10)))
    }
  }

  /// Whether neither QEMU nor a supervisor of a boot lives; a process that is being killed closes
  /// its sockets a moment before it drops its locks.
  ///
  /// - Parameter token: The boot.
  /// - Returns: False where that takes longer than half a second.
  func hasEnded(boot token: String?) -> Bool {
    let deadline = SuspendingClock.now.advanced(by: .milliseconds(500))
    while FileLock.isHeld(vmLock) || FileLock.isHeld(supervisorLock) {
      if bootToken != token { return true }
      guard .now < deadline else { return false }
      _ = SocketCalls.wait(-1, for: [], until: .now.advanced(by: .milliseconds(10)))
    }
    return true
  }

  /// Names the present boot, or the last; nil where there is none to be read.
  var bootToken: String? { (try? BootRecord.read(boot))?.token }
}
