internal import QMPClient

extension InstanceFiles {
  /// Blocks until neither QEMU nor its supervisor lives: until this boot's locks are free, or the
  /// instance is gone.
  package func blockUntilEnded() {
    let token = self.token
    // A supervisor that took over gets its QEMU's lock a moment after it is free; until it has done
    // the rest it holds its own.
    while (try? FileLock.untilFree(vmLock)) != nil, FileLock.isHeld(supervisorLock),
      self.token == token
    {
      _ = SocketCalls.wait(-1, for: [], until: .now.advanced(by: .milliseconds(10)))
    }
  }

  /// The present boot, or the last; nil where there is none to be read.
  private var token: String? { (try? BootRecord.read(boot))?.token }
}
